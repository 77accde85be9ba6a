export const en = {
  setting: "Undo sending within 5 seconds",
  waits: "Being sent…",
  seconds: "{count} s",
  undo: "Undo",
  now: "Send now",
  hint: "Undo (Ctrl Z in the empty field)",
};

export const zh: typeof en = {
  setting: "发送后 5 秒内可撤销",
  waits: "即将发送…",
  seconds: "{count} 秒",
  undo: "撤销发送",
  now: "立即发送",
  hint: "撤销发送（在空白输入框中按 Ctrl Z）",
};
