export const en = {
  open: "Views and rows",
  title: "Saved views",
  none: "What you often look at can be kept here.",
  name: "Name of the view",
  save: "Save what is shown",
  drop: "Delete “{name}”",
  share: "Copy the address of what is shown",
  shared: "Address copied",
  rows: "Rows",
  roomy: "Roomy",
  compact: "Compact",
};

export const zh: typeof en = {
  open: "视图与行距",
  title: "已保存的视图",
  none: "常看的列表可以保存在这里。",
  name: "视图名称",
  save: "保存当前视图",
  drop: "删除“{name}”",
  share: "复制当前视图的链接",
  shared: "链接已复制",
  rows: "行距",
  roomy: "宽松",
  compact: "紧凑",
};
