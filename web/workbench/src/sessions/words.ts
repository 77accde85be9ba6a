export const en = {
  open: "Filter and sort",
  title: "Show only",
  clear: "Clear all",
  remove: "Remove: {filter}",
  hidden: "A colleague looks after this",
  empty: "No conversation fits these filters",
  emptyHint: "Take one away to see more.",
  agent: { label: "Agent", mine: "Mine", unassigned: "Taken by nobody" },
  customer: { label: "Customer", vip: "Very important", new: "First visit", old: "Was here before" },
  began: { label: "Began", day: "Last 24 hours", week: "Last 7 days", month: "Last 30 days" },
  sort: {
    label: "Order",
    newest: "Latest activity first",
    oldest: "Oldest activity first",
    vip: "VIP first",
    waitTime: "Longest wait first",
  },
};

export const zh: typeof en = {
  open: "筛选与排序",
  title: "仅显示",
  clear: "全部清除",
  remove: "移除：{filter}",
  hidden: "此会话由同事负责",
  empty: "没有符合筛选条件的会话",
  emptyHint: "移除一个条件可以看到更多。",
  agent: { label: "客服", mine: "我的", unassigned: "无人接入" },
  customer: { label: "客户", vip: "重要客户", new: "首次来访", old: "老客户" },
  began: { label: "开始时间", day: "最近 24 小时", week: "最近 7 天", month: "最近 30 天" },
  sort: { label: "排序", newest: "最近活动在前", oldest: "最早活动在前", vip: "VIP 在前", waitTime: "等待最久在前" },
};
