export type Locale = "zh" | "en";

const zh = {
  attach: "添加图片或文件",
  drop: "松开鼠标，添加到消息中",
  uploading: (percent: number) => `上传中 ${percent}%`,
  waiting: "等待上传",
  remove: (name: string) => `移除 ${name}`,
  cancel: (name: string) => `取消上传 ${name}`,
  retry: "重试",
  offline: "网络已断开，恢复后自动上传",
  tooMany: (most: number) => `每条消息最多 ${most} 个文件`,
  open: (name: string) => `查看图片 ${name}`,
  download: (name: string) => `下载 ${name}`,
  close: "关闭",
  picture: "图片",
  failed: "加载失败",
};

export type FileWords = typeof zh;

const en: FileWords = {
  attach: "Attach pictures or files",
  drop: "Drop to attach",
  uploading: (percent) => `Uploading ${percent}%`,
  waiting: "Waiting",
  remove: (name) => `Remove ${name}`,
  cancel: (name) => `Cancel ${name}`,
  retry: "Try again",
  offline: "No connection; it is sent up when it is back",
  tooMany: (most) => `No more than ${most} files in a message`,
  open: (name) => `Look at ${name}`,
  download: (name) => `Download ${name}`,
  close: "Close",
  picture: "Picture",
  failed: "Not loaded",
};

export const fileWords: Record<Locale, FileWords> = { zh, en };

const UNITS = ["B", "KB", "MB"];

/** "1.4 MB" */
export function sizeOf(bytes: number): string {
  const unit = bytes < 1024 ? 0 : bytes < 1024 ** 2 ? 1 : 2;
  const amount = bytes / 1024 ** unit;
  return `${unit === 0 || amount >= 10 ? Math.round(amount) : amount.toFixed(1)} ${UNITS[unit]}`;
}
