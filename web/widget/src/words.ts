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
  queue: (position: number) => `等待人工接入…第 ${position} 位`,
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
  rating: {
    title: "您对人工客服的服务满意吗？",
    stars: (score: number) => `${score} 星`,
    reasons: "原因",
    comment: "还有什么想告诉我们的？（选填）",
    send: "提交评价",
    later: "暂不评价",
    failed: "评价未能提交，请重试。",
    thanks: "感谢您的评价！",
  },
  line: {
    rated: (score: number) => `您评价了本次服务：${"★".repeat(score)}${"☆".repeat(5 - score)}，谢谢！`,
    escalated: "已为您呼叫人工客服，请稍候。",
    taken_over: (name: string) => `${name} 已接入，为您服务。`,
    released: "人工服务已结束，AI 助手继续为您服务。",
    closed: "会话已结束。您随时可以继续提问。",
    closed_idle: "长时间没有新消息，会话已结束。您随时可以继续提问。",
    reopened: "会话已重新开启。",
    returned: "暂时没有客服接入，AI 助手继续为您服务。",
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
  queue: (position) => `Waiting for an agent… number ${position} in line`,
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
  rating: {
    title: "How did our colleague do?",
    stars: (score) => (score === 1 ? "1 star" : `${score} stars`),
    reasons: "Reasons",
    comment: "Anything else you would like to tell us? (optional)",
    send: "Send rating",
    later: "Not now",
    failed: "Your rating was not sent. Please try again.",
    thanks: "Thank you for your rating!",
  },
  line: {
    rated: (score) => `You rated our service ${"★".repeat(score)}${"☆".repeat(5 - score)}. Thank you!`,
    escalated: "We have called a colleague. One moment, please.",
    taken_over: (name) => `${name} has joined the conversation.`,
    released: "The agent has left. The AI assistant is back to help.",
    closed: "The conversation has ended. You can write again at any time.",
    closed_idle: "The conversation has ended after a long silence. You can write again at any time.",
    reopened: "The conversation is open again.",
    returned: "No agent was free. The AI assistant is back to help.",
  },
};

export const locale = ref<Locale>("en");
export const words = computed<Words>(() => (locale.value === "zh" ? zh : en));

const tag = computed(() => (locale.value === "zh" ? "zh-CN" : "en-GB"));

export function timeOf(at: string): string {
  return new Date(at).toLocaleTimeString(tag.value, { hour: "2-digit", minute: "2-digit" });
}

export function dayOf(at: string): string {
  return new Date(at).toLocaleDateString(tag.value, { month: "long", day: "numeric", weekday: "long" });
}
