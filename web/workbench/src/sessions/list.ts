import type { AgentRef, Api, ListedSession, SessionStatus, SessionSummary } from "@kefu/api";

export const TABS = ["waiting", "unassigned", "mine", "bot", "later", "closed", "all"] as const;
export type Tab = (typeof TABS)[number];
export type Counts = Record<Tab, number>;
/** As `GET /api/sessions` counts. */
export type Counted = Pick<Api.SessionList, "mine" | "unassigned"> & { counts: Record<SessionStatus, number> };

/** A summary as this browser holds it. */
export interface Held extends SessionSummary {
  /** When the wait began, in milliseconds by this machine's clock; null when nobody waits. */
  waitingSince: number | null;
  /** How many of the visitor's messages this agent has read; null until the server has said. */
  readCount: number | null;
}

/** From a list it says what is unread; the news that goes to everybody does not. */
export type Summary = SessionSummary | ListedSession;

/** Above this the queue calls a wait urgent, whoever waits. */
const URGENT_AFTER_MS = 300_000;
const LEVELS: Record<Api.Priority["level"], number> = { urgent: 2, high: 1, normal: 0 };

/**
 * `waiting_seconds` was true when the server spoke; counting on from the moment it was heard needs no agreement
 * between the two clocks.
 */
export function held(summary: Summary, heardAt: number): Held {
  const waits = summary.status === "pending_manual" && summary.escalation;
  return { ...summary, waitingSince: waits ? heardAt - waits.waiting_seconds * 1000 : null, readCount: readIn(summary) };
}

function readIn(summary: Summary): number | null {
  if ("unread" in summary) return summary.visitor_message_count - summary.unread;
  return summary.visitor_message_count === 0 ? 0 : null;
}

/** Takes the news unless something newer is known; says whether it was news. */
export function upsert(pool: Map<string, Held>, news: Held): boolean {
  const known = pool.get(news.session_name);
  if (known && known.seq > news.seq) return false;
  pool.set(news.session_name, { ...news, readCount: furthest(known?.readCount, news.readCount) });
  return true;
}

/** A read mark never goes back, whichever tab or answer tells of it. */
export function furthest(one: number | null | undefined, other: number | null): number | null {
  return typeof one === "number" ? Math.max(one, other ?? 0) : other;
}

export function belongs(session: SessionSummary, tab: Tab, agentId: string): boolean {
  switch (tab) {
    case "waiting":
      return session.status === "pending_manual";
    case "unassigned":
      return session.status === "pending_manual" && session.assigned_agent === null;
    case "mine":
      return session.status === "manual_live" && session.assigned_agent?.id === agentId;
    case "later":
      return session.status === "after_hours_email";
    case "bot":
      return session.status === "bot_active";
    case "closed":
      return session.status === "closed";
    case "all":
      return true;
  }
}

export function levelOf(session: Held, now: number): Api.Priority["level"] {
  const overdue = session.waitingSince !== null && now - session.waitingSince > URGENT_AFTER_MS;
  return overdue || session.user_profile.vip ? "urgent" : session.priority.level;
}

/** To whom it is offered, as long as the offer stands; a waiting session is nobody's. */
export function offerOf(session: Held, now: number): { agent: AgentRef; left: number } | null {
  const { assigned_agent: agent, assigned_until: until, status } = session;
  if (status !== "pending_manual" || !agent || until === null) return null;
  return { agent, left: Math.max(0, until * 1000 - now) };
}

/**
 * The queue: VIPs, then by urgency, then by how long they wait; who left an address: the first to have done so; all
 * else by what happened last.
 */
export function ordered(sessions: readonly Held[], tab: Tab, now: number): Held[] {
  if (tab === "waiting" || tab === "unassigned") return sessions.toSorted(byUrgency(now));
  return sessions.toSorted(tab === "later" ? (a, b) => byActivity(b, a) : byActivity);
}

/** As the server gave their names. */
export function inOrder(sessions: readonly Held[], names: readonly string[]): Held[] {
  const place = new Map(names.map((name, index) => [name, index]));
  return sessions.toSorted((a, b) => (place.get(a.session_name) ?? 0) - (place.get(b.session_name) ?? 0));
}

function byUrgency(now: number) {
  return (a: Held, b: Held) =>
    Number(b.user_profile.vip) - Number(a.user_profile.vip) ||
    LEVELS[levelOf(b, now)] - LEVELS[levelOf(a, now)] ||
    (a.waitingSince ?? now) - (b.waitingSince ?? now) ||
    (a.session_name < b.session_name ? -1 : 1);
}

function byActivity(a: Held, b: Held): number {
  return b.updated_at - a.updated_at || (a.session_name < b.session_name ? -1 : 1);
}

/** What can be found without asking the server, which also searches the whole history. */
export function mentions(session: SessionSummary, keyword: string): boolean {
  const wanted = keyword.trim().toLowerCase();
  const places = [session.session_name, session.user_profile.nickname, session.last_message_preview?.content];
  return !wanted || places.some((place) => place?.toLowerCase().includes(wanted));
}

export function countsOf({ counts, mine, unassigned }: Counted): Counts {
  return {
    waiting: counts.pending_manual,
    unassigned,
    mine,
    later: counts.after_hours_email,
    bot: counts.bot_active,
    closed: counts.closed,
    all: Object.values(counts).reduce((sum, count) => sum + count, 0),
  };
}

/** The counts after one session went from `before` to `after`; null: it is not there. */
export function recounted(counts: Counts, before: SessionSummary | null, after: SessionSummary | null, agentId: string): Counts {
  const next = { ...counts };
  for (const tab of TABS) {
    const was = before !== null && belongs(before, tab, agentId);
    const is = after !== null && belongs(after, tab, agentId);
    next[tab] = Math.max(0, next[tab] + Number(is) - Number(was));
  }
  return next;
}

const MARKS = /[*_`#]+|^[-+>]\s|\[([^\]]*)\]\([^)]*\)?/gm;

/** The bot writes Markdown; a one-line preview has no use for its marks. */
export function previewOf({ last_message_preview: last }: SessionSummary): string {
  if (!last) return "";
  return last.role === "assistant" ? last.content.replace(MARKS, "$1") : last.content;
}

/** Whether what a customer writes here is for this agent to read. */
export function concerns(session: SessionSummary, agentId: string): boolean {
  return session.status === "pending_manual" || belongs(session, "mine", agentId);
}

/** How much a customer has written that this agent has not read and should. */
export function unreadOf(session: Held, agentId: string): number {
  if (!concerns(session, agentId) || session.readCount === null) return 0;
  return Math.max(0, session.visitor_message_count - session.readCount);
}

/** The neighbour to move to; from outside the list, its first or last. */
export function neighbour(sessions: readonly Held[], name: string | undefined, step: 1 | -1): Held | undefined {
  const at = sessions.findIndex((session) => session.session_name === name);
  if (at < 0) return sessions.at(step === 1 ? 0 : -1);
  return sessions[at + step];
}

/** The names from the one to the other, both included, in the order of the list; the last alone if the first is gone. */
export function between(sessions: readonly Pick<Held, "session_name">[], from: string, to: string): string[] {
  const names = sessions.map((each) => each.session_name);
  const [a, b] = [names.indexOf(from), names.indexOf(to)];
  return a < 0 || b < 0 ? [to] : names.slice(Math.min(a, b), Math.max(a, b) + 1);
}
