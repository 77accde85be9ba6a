import { computed, ref } from "vue";

export type Locale = "zh" | "en";

const zh = {
  chat: "客服聊天",
  log: "对话记录",
  demo: "演示",
  you: "您",
  bot: "AI 助手",
  agent: "人工客服",
  agentBadge: "人工",
  welcome: "您好！有什么可以帮您？",
  suggestions: "您可以这样问",
  status: {
    bot_active: "AI 服务中",
    pending_manual: "等待人工接入…",
    manual_live: "人工服务中",
    after_hours_email: "非工作时间",
    closed: "会话已结束",
  },
  queue: (position: number, minutes: number | null) =>
    `等待人工接入…第 ${position} 位${minutes === null ? "" : `，约 ${minutes} 分钟`}`,
  live: (name: string) => `人工客服 – ${name}`,
  placeholder: {
    bot_active: "请输入您的问题…",
    pending_manual: "可以先描述一下您的问题…",
    manual_live: "向客服发送消息…",
    after_hours_email: "非工作时间，请留言…",
    closed: "继续提问，会话将重新开启…",
  },
  send: "发送",
  person: "转人工",
  confirm: {
    escalate: { title: "转接人工客服？", text: "客服会看到以上对话，请稍候片刻。", yes: "转人工" },
    restart: { title: "开始新的对话？", text: "当前对话将保留在客服那里，这里会换成新的对话。", yes: "新对话" },
    no: "取消",
  },
  newChat: "新对话",
  maximise: "放大窗口",
  restore: "还原窗口",
  minimise: "收起聊天",
  sources: "参考资料",
  newTab: "（在新标签页打开）",
  unanswered: "需要人工客服帮忙吗？",
  thinking: "正在查找答案…",
  typing: (name: string) => `${name} 正在输入…`,
  sending: "发送中",
  delivered: "已送达",
  read: "已读",
  failed: "发送失败",
  retry: "重新发送",
  discard: "删除",
  offline: "网络已断开，正在重新连接。您的消息会在恢复后自动发出。",
  escalateFailed: "暂时没能转接成功，请重试。",
  dismiss: "知道了",
  tooLong: (over: number) => `超出 ${over} 字`,
  latest: "回到最新消息",
  card: {
    label: "您正在看",
    send: "咨询一下",
    remove: "移除",
    ask: { product: (title: string) => `${title} 怎么样？`, order: (title: string) => `我想咨询订单 ${title}。` },
    order: "订单",
  },
  line: {
    escalated: "已为您呼叫人工客服，请稍候。",
    taken_over: (name: string) => `${name} 已接入，为您服务。`,
    agent_lost: "客服暂时离线，正在为您安排其他客服，请稍候。",
    transferred: (name: string) => `已为您转接，现在由 ${name} 为您服务。`,
    released: "人工服务已结束，AI 助手继续为您服务。",
    closed: "会话已结束。您随时可以继续提问。",
    closed_idle: "长时间没有新消息，会话已结束。您随时可以继续提问。",
    reopened: "会话已重新开启。",
    returned: "暂时没有客服接入，AI 助手继续为您服务。",
    split_off: "部分内容已移至另一个对话，可在“历史对话”中查看。",
    deferred: (email: string) => `留言已收到，我们会回复到 ${email}。您也可以继续补充。`,
  },
  part: { other: "以下来自之前的对话", own: "当前对话" },
  history: {
    title: "历史对话",
    back: "返回",
    close: "关闭历史对话",
    current: "当前对话",
    none: "还没有之前的对话",
    noneHint: "开始新对话后，之前的对话会保留在这里。",
    failed: "暂时无法加载，请重试。",
    retry: "重试",
    loading: "正在加载…",
    more: "更早的对话",
    proceed: "继续此对话",
    download: "下载记录",
    txt: "文本",
    pdf: "PDF",
    rated: (stars: number) => `评分 ${stars} 分`,
  },
  hours: {
    title: "现在是非工作时间",
    next: (when: string) => `人工客服将于${when}（您的当地时间）恢复服务。`,
    never: "人工客服目前不在线。",
    lead: "请留下邮箱，我们上班后会尽快回复您。",
    short: (when: string) => `非工作时间 · ${when}恢复`,
    waiting: "人工客服已下班，您可以留下邮箱等候回复。",
    leave: "留下邮箱",
    email: "邮箱",
    message: "留言（选填）",
    messageHint: "请描述您的问题，以上对话我们也能看到。",
    consent: "您的邮箱仅用于回复本次咨询。",
    send: "提交留言",
    sending: "正在提交…",
    wrongEmail: "请输入有效的邮箱地址，例如 name@example.com",
    failed: "未能提交，内容已保留，请重试。",
    back: "返回聊天",
  },
};

export type Words = typeof zh;

const en: Words = {
  chat: "Customer chat",
  log: "Conversation",
  demo: "Demo",
  you: "You",
  bot: "AI assistant",
  agent: "Support agent",
  agentBadge: "Agent",
  welcome: "Hello! How can we help?",
  suggestions: "You could ask",
  status: {
    bot_active: "AI assistant is here",
    pending_manual: "Waiting for an agent…",
    manual_live: "An agent is here",
    after_hours_email: "Outside service hours",
    closed: "Conversation ended",
  },
  queue: (position, minutes) =>
    `No. ${position} in line${minutes === null ? "" : `, about ${minutes} min`}`,
  live: (name) => `Agent – ${name}`,
  placeholder: {
    bot_active: "Ask a question…",
    pending_manual: "Tell us more while you wait…",
    manual_live: "Write to the agent…",
    after_hours_email: "We are closed, leave a message…",
    closed: "Write to reopen the conversation…",
  },
  send: "Send",
  person: "Talk to a person",
  confirm: {
    escalate: { title: "Talk to a person?", text: "The agent will see this conversation. It may take a moment.", yes: "Talk to a person" },
    restart: { title: "Start a new chat?", text: "Our team keeps this conversation; a new one starts here.", yes: "New chat" },
    no: "Cancel",
  },
  newChat: "New chat",
  maximise: "Larger window",
  restore: "Smaller window",
  minimise: "Minimise chat",
  sources: "Sources",
  newTab: " (opens in a new tab)",
  unanswered: "Would you like help from a person?",
  thinking: "Looking for an answer…",
  typing: (name) => `${name} is typing…`,
  sending: "Sending",
  delivered: "Delivered",
  read: "Read",
  failed: "Not sent",
  retry: "Send again",
  discard: "Delete",
  offline: "You are offline. Reconnecting; your messages will be sent when you are back.",
  escalateFailed: "We could not reach the team. Please try again.",
  dismiss: "OK",
  tooLong: (over) => `${over} characters too long`,
  latest: "Latest messages",
  card: {
    label: "You are viewing",
    send: "Ask about it",
    remove: "Remove",
    ask: { product: (title) => `Tell me about the ${title}`, order: (title) => `I have a question about order ${title}.` },
    order: "Order",
  },
  line: {
    escalated: "We have called a colleague. One moment, please.",
    taken_over: (name) => `${name} has joined the conversation.`,
    agent_lost: "The agent got disconnected. We are finding you another one, please stay.",
    transferred: (name) => `You are now talking to ${name}.`,
    released: "The agent has left. The AI assistant is back to help.",
    closed: "The conversation has ended. You can write again at any time.",
    closed_idle: "The conversation has ended after a long silence. You can write again at any time.",
    reopened: "The conversation is open again.",
    returned: "No agent was free. The AI assistant is back to help.",
    split_off: "A part of this moved to another chat. You find it under “Earlier chats”.",
    deferred: (email) => `We have your message and will answer to ${email}. You can add to it here.`,
  },
  part: { other: "From an earlier chat", own: "This chat" },
  history: {
    title: "Earlier chats",
    back: "Back",
    close: "Close earlier chats",
    current: "This chat",
    none: "No earlier chats yet",
    noneHint: "When you start a new chat, this one is kept here.",
    failed: "This could not be loaded. Please try again.",
    retry: "Try again",
    loading: "Loading…",
    more: "Older chats",
    proceed: "Continue this chat",
    download: "Download",
    txt: "Text",
    pdf: "PDF",
    rated: (stars) => `Rated ${stars} of 5`,
  },
  hours: {
    title: "We are outside service hours",
    next: (when) => `Our team is back ${when} (your local time).`,
    never: "Our team is not available at the moment.",
    lead: "Leave your e-mail address and we will answer as soon as we are back.",
    short: (when) => `Closed · back ${when}`,
    waiting: "Our team has left for the day. Leave your e-mail address and we will answer.",
    leave: "Leave e-mail",
    email: "E-mail",
    message: "Message (optional)",
    messageHint: "Tell us what you need. We also see the conversation above.",
    consent: "We use your address only to answer this request.",
    send: "Send message",
    sending: "Sending…",
    wrongEmail: "Enter a full address, such as name@example.com",
    failed: "This could not be sent. Your words are kept; please try again.",
    back: "Back to the chat",
  },
};

export const locale = ref<Locale>("en");
export const words = computed<Words>(() => (locale.value === "zh" ? zh : en));

const tag = computed(() => (locale.value === "zh" ? "zh-CN" : "en-GB"));

export function timeOf(at: string): string {
  return new Date(at).toLocaleTimeString(tag.value, { hour: "2-digit", minute: "2-digit" });
}

/** When somebody is back: today only the time, else the day with it; in the reader's own zone. */
export function openingOf(at: string): string {
  const then = new Date(at);
  const isToday = then.toDateString() === new Date().toDateString();
  if (isToday) return locale.value === "zh" ? timeOf(at) : `at ${timeOf(at)}`;
  const isSoon = then.getTime() - Date.now() < 6 * 86_400_000;
  const day = then.toLocaleDateString(tag.value, isSoon ? { weekday: "long" } : { month: "long", day: "numeric" });
  return locale.value === "zh" ? `${day} ${timeOf(at)}` : `${day} at ${timeOf(at)}`;
}

export function dayOf(at: string): string {
  return new Date(at).toLocaleDateString(tag.value, { month: "long", day: "numeric", weekday: "long" });
}
