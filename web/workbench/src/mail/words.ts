export const en = {
  badge: "By mail",
  address: "E-mail",
  also: "Send by mail too, to {email}",
  team: "The team was told by mail: {to}",
  reply: "The answer was mailed to {to}",
  teamFailed: "The team was not told by mail{to}: {reason}",
  replyFailed: "The answer was not mailed{to}: {reason}",
  status: { sending: "Mail on its way", sent: "Mail sent", failed: "Mail not sent" },
  reasons: {
    not_configured: "mail is not set up",
    refused: "the mail server refused it",
    sign_in: "the mail server does not accept Kefu's name and password",
    unreachable: "the mail server could not be reached",
    unreadable: "the address cannot be read any more",
  },
};

export const zh: typeof en = {
  badge: "邮件",
  address: "邮箱",
  also: "同时发送邮件至 {email}",
  team: "已邮件通知团队：{to}",
  reply: "回复已发送至 {to}",
  teamFailed: "未能邮件通知团队{to}：{reason}",
  replyFailed: "回复邮件未送达{to}：{reason}",
  status: { sending: "邮件发送中", sent: "邮件已发送", failed: "邮件未发送" },
  reasons: {
    not_configured: "尚未配置邮件服务",
    refused: "被邮件服务器拒收",
    sign_in: "邮件服务器不接受 Kefu 的账号或密码",
    unreachable: "无法连接邮件服务器",
    unreadable: "邮箱地址已无法读取",
  },
};
