import type { en as accounts } from "../../accounts/words";
import type { en as actions } from "../../actions/words";
import type { en as assisting } from "../../assisting/words";
import type { en as audit } from "../../audit/words";
import type { en as bot } from "../../bot/words";
import type { en as costs } from "../../costs/words";
import { en as collaboration } from "../../collaboration/words";
import { en as customers } from "../../customers/words";
import { en as duty } from "../../duty/words";
import type { en as funnel } from "../../funnel/words";
import type { en as why } from "../../evidence/words";
import { en as histories } from "../../histories/words";
import type { en as knowledge } from "../../knowledge/words";
import type { en as look } from "../../look/words";
import { en as mail } from "../../mail/words";
import type { en as policies } from "../../policies/words";
import type { en as gate } from "../../quality/gateWords";
import type { en as quality } from "../../quality/words";
import { en as ratings } from "../../ratings/words";
import type { en as replay } from "../../replay/words";
import { en as replies } from "../../replies/words";
import { en as routing } from "../../routing/words";
import { en as search } from "../../search/words";
import { en as drafts } from "../../sessions/draftWords";
import { en as undo } from "../../sessions/undoWords";
import { en as several } from "../../sessions/severalWords";
import { en as filters } from "../../sessions/words";
import type { en as find } from "../../sessions/findWords";
import type { en as views } from "../../sessions/viewWords";
import type { en as security } from "../../shops/securityWords";
import { en as invitations } from "../../invitations/words";
import { en as hours } from "../../shops/words";
import type { en as sso } from "../../sso/words";
import { en as tags } from "../../tags/words";
import type { en as team } from "../../team/words";
import { en as transfers } from "../../transfers/words";
import { en as wallboard } from "../../wallboard/words";

/** The words of what is fetched later; see `addWords`. */
export interface Later {
  accounts: typeof accounts;
  actions: typeof actions;
  assisting: typeof assisting;
  audit: typeof audit;
  knowledge: typeof knowledge;
  look: typeof look;
  find: typeof find;
  bot: typeof bot;
  policies: typeof policies;
  costs: typeof costs;
  funnel: typeof funnel;
  quality: typeof quality;
  replay: typeof replay;
  gate: typeof gate;
  security: typeof security;
  sso: typeof sso;
  team: typeof team;
  views: typeof views;
  why: typeof why;
}

export const en = {
  collaboration,
  customers,
  drafts,
  duty,
  filters,
  histories,
  hours,
  invitations,
  mail,
  ratings,
  replies,
  routing,
  search,
  several,
  tags,
  transfers,
  undo,
  wallboard,
  app: {
    name: "Kefu",
    title: "Agent workbench",
    retry: "Try again",
    cancel: "Cancel",
    save: "Save",
    discard: "Discard",
    unsaved: "Not saved yet",
    theirs: "Show theirs",
    mine: "Save mine",
    close: "Close",
    back: "Back to the list",
    loading: "Loading…",
    language: "Language",
    theme: "Theme",
    themeAuto: "Like the system",
    themeLight: "Light",
    themeDark: "Dark",
    notFound: "There is no such page",
    notFoundHint: "The address may be old or mistyped.",
    toDesk: "To the conversations",
  },
  login: {
    title: "Sign in",
    lead: "Welcome back, your customers are waiting.",
    username: "User name",
    password: "Password",
    remember: "Keep me signed in on this device",
    submit: "Sign in",
    submitting: "Signing in…",
    ended: "Your session has ended. Please sign in again.",
    tooLate: "That took too long. Please sign in again.",
    usernameMissing: "Enter your user name",
    passwordMissing: "Enter your password",
    promise: "Every conversation, answered.",
    promiseHint: "The bot answers from your shop's knowledge. You step in when it matters.",
    sampleVisitor: "How far does it go in winter?",
    sampleBot: "In the cold, expect about a fifth less range.",
    sampleSource: "Range in cold weather",
    sampleAgent: "Hi, I'm Lena. I have your order in front of me.",
  },
  password: {
    title: "Choose your own password",
    lead: "You signed in with a password somebody else has seen. Set a new one to go on.",
    voluntary: "All other devices will be signed out.",
    change: "Change password",
    old: "Current password",
    new: "New password",
    repeat: "New password again",
    hint: "At least {least} characters, with a letter and a digit",
    tooWeak: "Use at least {least} characters, with a letter and a digit",
    same: "The new password must differ from the current one",
    differs: "The two entries differ",
    save: "Save password",
    saved: "Password changed",
  },
  menu: {
    conversations: "Conversations",
    search: "Search",
    wallboard: "Live board",
    hours: "Service hours",
    bot: "Bot",
    security: "Shop security",
    widget: "Widget",
    policies: "Policies",
    knowledge: "Knowledge",
    quality: "Bot quality",
    audit: "Audit log",
    team: "Team",
    agentRoles: "Roles",
    costs: "Model costs",
    funnel: "Visitor funnel",
    account: "Account: {name}",
    alerts: "Notify me about new waiting customers",
    sound: "Sound",
    quiet: "Quiet",
    quietHint: "No sounds and notifications in these hours",
    quietFrom: "Quiet from",
    quietUntil: "Quiet until",
    notifications: "Browser notifications",
    notificationsBlocked: "Your browser blocks notifications for this page. Allow them in its site settings.",
    shortcuts: "Keyboard shortcuts",
    password: "Change password",
    secondFactor: "Two-step sign-in",
    logout: "Sign out",
  },
  roles: {
    super_admin: "Super admin",
    supervisor: "Supervisor",
    agent: "Agent",
    inspector: "Inspector",
  },
  connection: {
    live: "Live",
    connecting: "Connecting…",
    offline: "Connection lost. Trying again…",
  },
  status: {
    bot_active: "Bot",
    pending_manual: "Waiting",
    manual_live: "With an agent",
    after_hours_email: "After hours",
    closed: "Closed",
  },
  priority: { urgent: "Urgent", high: "High", normal: "Normal", vip: "VIP" },
  severity: { low: "Low", medium: "Medium", high: "High" },
  tabs: {
    label: "Conversation lists",
    waiting: "Waiting",
    unassigned: "Unassigned",
    mine: "Mine",
    later: "After hours",
    bot: "Bot",
    closed: "Closed",
    all: "All",
  },
  list: {
    search: "Search name or message",
    waitingFor: "Waiting for {time}",
    unread: "nothing unread | {count} unread message | {count} unread messages",
    visitor: "Visitor {name}",
    noPreview: "No messages yet",
    emptyWaiting: "Nobody is waiting",
    emptyWaitingHint: "New requests for a person appear here by themselves.",
    emptyMine: "You have no open conversation",
    emptyMineHint: "Take one over from the queue to begin.",
    emptyLater: "Nobody has left a message",
    emptyLaterHint: "What visitors leave outside service hours waits here.",
    emptyBot: "The bot has nothing to do",
    emptyBotHint: "Conversations with visitors appear here as they begin.",
    emptyAll: "No conversations yet",
    emptyAllHint: "They appear here as soon as a visitor writes.",
    emptySearch: "Nothing found for “{keyword}”",
    emptySearchHint: "Search looks at names and messages in this list.",
    failed: "The list could not be loaded",
    longest: "The first {count}. Search or filter to find the others.",
    views: "Views and rows",
    emptyClosed: "No conversation is closed",
    emptyClosedHint: "Those that have ended are found here.",
  },
  desk: {
    choose: "Choose a conversation",
    chooseHint: "Pick one from the list, or press J and K to move through it.",
    waitingNow: "Nobody is waiting | One customer is waiting | {count} customers are waiting",
    openNext: "Open the next in the queue",
  },
  conversation: {
    takeOver: "Take over",
    release: "Release",
    close: "Close",
    details: "Details",
    replay: "Replay",
    hideDetails: "Hide details",
    heldBy: "With {name}",
    heldByYou: "With you",
    messages: "Messages",
    opening: "Opening the conversation…",
    missing: "This conversation does not exist",
    missingHint: "It may have been removed, or the link is wrong.",
    noMessages: "No messages yet",
    noMessagesHint: "What the visitor writes appears here as it is sent.",
    failed: "The conversation could not be loaded",
    reconnecting: "Connection lost. Messages may be late.",
    earlier: "Show earlier messages",
    find: "Find in this conversation",
    toLatest: "New messages",
    toBottom: "To the latest message",
    today: "Today",
    yesterday: "Yesterday",
    bot: "Bot",
    system: "System",
    writing: "The bot is writing…",
    typing: "{name} is typing…",
    sending: "Sending…",
    notSent: "Not sent",
    resend: "Send again",
    discard: "Discard",
    unanswered: "The knowledge had no answer",
    sources: "Sources",
    read: "Read",
    online: "Online",
    away: "Away",
    viewers: "Also looking: {names}",
    alreadyTaken: "{name} was faster and has this conversation",
    invalidStatus: "That is not possible any more: the conversation is now “{status}”",
  },
  stale: {
    title: "There is something new",
    lead: "Your reply was not sent. | One message came while you were writing. Your reply was not sent. | {count} messages came while you were writing. Your reply was not sent.",
    missed: "New messages",
    reply: "Your reply",
    readFirst: "Let me read first",
    sendAnyway: "Send anyway",
  },
  closing: {
    title: "Close this conversation?",
    lead: "{name} can write again at any time; the bot answers first then.",
    reason: "Reason",
    confirm: "Close conversation",
  },
  closeReasons: {
    resolved: "Solved",
    no_reply: "Customer stopped replying",
    duplicate: "Duplicate",
    spam: "Spam",
  },
  composer: {
    label: "Your reply",
    placeholder: "Write to {name}…",
    hint: "Enter sends · Shift+Enter starts a new line",
    send: "Send",
    left: "{count} characters left",
    tooLong: "{count} characters too many",
    pending: "This customer is waiting. Take over to reply.",
    bot: "The bot is answering. Take over to write yourself.",
    other: "{name} has this conversation.",
    afterHours: "This customer wrote after hours. Take over to reply.",
    closed: "This conversation is closed. It opens again when the customer writes.",
    takeFirst: "Take over",
  },
  evidence: {
    title: "Why this answer",
    count: "no passage | {count} passage | {count} passages",
    latency: "Answered in {ms} ms",
  },
  side: {
    help: "AI help",
    details: "Details",
    label: "Customer and conversation",
    customer: "Customer",
    conversation: "Conversation",
    escalation: "Escalation",
    trail: "What happened",
    name: "Name",
    id: "ID",
    shop: "Shop",
    language: "Language",
    started: "Started",
    lastActivity: "Last activity",
    messages: "Messages",
    status: "Status",
    agent: "Agent",
    nobody: "Nobody",
    priority: "Priority",
    keywords: "Urgent words",
    reason: "Reason",
    time: "Time",
    severity: "Severity",
    waited: "Waiting for",
    repeat: "Asked for a person before",
    copy: "Copy the ID",
    copied: "Copied",
    failed: "The details could not be loaded",
  },
  moves: {
    opened: "{actor} opened the conversation",
    escalated: "A person was asked for: {reason}",
    taken_over: "{agent} took over",
    transferred: "{from} passed the conversation on to {to}",
    released: "{actor} released to the bot",
    closed: "{actor} closed the conversation",
    reopened: "{actor} wrote again: reopened",
    returned: "Back to the bot: {reason}",
    deferred: "{actor} left an e-mail address for an answer",
    because: "Reason: {reason}",
  },
  actors: { visitor: "The visitor", agent: "An agent", bot: "The bot", system: "The system" },
  reasons: {
    manual: "pressed “Talk to a person”",
    user_request: "the customer asked for a person",
    keyword: "keyword",
    fail_loop: "the bot failed repeatedly",
    sentiment: "the customer is unhappy",
    vip: "VIP customer",
    policy: "policy",
    shadow: "shadow mode: people answer",
    cancelled: "cancelled",
    timeout: "nobody came in time",
    idle: "no activity",
    expired: "no activity",
  },
  alerts: {
    waitingTitle: "{name} is waiting for a person",
  },
  errors: {
    NETWORK: "The server cannot be reached. Check your connection.",
    UNKNOWN: "Something went wrong. Please try again.",
    LOGIN_FAILED: "User name or password is wrong",
    ACCOUNT_LOCKED: "Too many attempts. The account is locked for {minutes} min.",
    ADDRESS_LOCKED: "Too many failed attempts from your network. Try again in {minutes} min.",
    SECOND_FACTOR_WRONG: "This code is wrong, or was used already",
    OLD_PASSWORD_INCORRECT: "The password is wrong",
    RATE_LIMITED: "Too many requests. Please wait a moment.",
    FORBIDDEN: "You are not allowed to do that",
    TOKEN_REQUIRED: "Please sign in again",
    TOKEN_INVALID: "Please sign in again",
    TOKEN_EXPIRED: "Please sign in again",
    SESSION_NOT_FOUND: "This conversation does not exist",
    VALIDATION_FAILED: "Please check what you entered",
  },
};

export type Catalogue = typeof en & Later;
