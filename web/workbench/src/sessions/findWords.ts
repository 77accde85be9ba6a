export const en = {
  title: "Find in this conversation",
  words: "Words in this conversation",
  count: "{at} of {total}",
  more: "{at} of {total} or more",
  none: "Nothing found",
  older: "Earlier hit",
  newer: "Later hit",
  date: "Go to a day",
  looking: "Looking…",
};

export const zh: typeof en = {
  title: "在会话中查找",
  words: "会话中的词语",
  count: "第 {at} / {total} 条",
  more: "第 {at} 条，至少 {total} 条",
  none: "没有找到",
  older: "更早的一条",
  newer: "更晚的一条",
  date: "跳转到日期",
  looking: "正在查找…",
};
