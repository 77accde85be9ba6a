/** How far a draft has come. */
export const en = {
  saving: "Saving the draft…",
  saved: "Draft saved",
  unsaved: "Saving the draft…",
  failed: "Draft kept on this device only",
};

export const zh: typeof en = {
  saving: "草稿保存中…",
  saved: "草稿已保存",
  unsaved: "草稿保存中…",
  failed: "草稿仅保存在本机",
};
