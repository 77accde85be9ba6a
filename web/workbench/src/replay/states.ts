import { type AgentRef, emptyConversation, fold, type LogEvent, type SessionStatus } from "@kefu/api";

/** A session as it was right after one of its events: what the server's fold of the log up to there says. */
export interface State {
  status: SessionStatus;
  epoch: number;
  /** Who has it, or to whom it is offered until `offeredUntil` (ms). */
  agent: AgentRef | null;
  offeredUntil: number | null;
  /** How often a person was asked for, or stepped in. */
  episode: number;
  nickname: string;
  reason: string | null;
  /** Since when a person was awaited the last time, ms. */
  escalatedAt: number | null;
  messages: number;
  /** Answers of the bot in a row that found nothing. */
  failures: number;
  tags: readonly string[];
  rating: number | null;
  mail: "sending" | "sent" | "failed" | null;
}

const BLANK: State = {
  status: "bot_active",
  epoch: 0,
  agent: null,
  offeredUntil: null,
  episode: 0,
  nickname: "",
  reason: null,
  escalatedAt: null,
  messages: 0,
  failures: 0,
  tags: [],
  rating: null,
  mail: null,
};

/** The state after each of the events, which come whole and in order. */
export function statesOf(events: readonly LogEvent[]): State[] {
  let state = BLANK;
  return events.map((event) => (state = after(state, event)));
}

function after(state: State, event: LogEvent): State {
  const { status, epoch, agent, move } = fold({ ...emptyConversation(), ...state }, event);
  const begins = move !== null && move.from === "bot_active" && move.to !== "closed" && move.to !== "bot_active";
  const moved = { ...state, status, epoch, agent, episode: state.episode + (begins ? 1 : 0) };
  // A move that leaves nobody in charge ends an offer, and so does taking it.
  if (move) moved.offeredUntil = null;
  return { ...moved, ...changes(state, event) };
}

function changes(state: State, event: LogEvent): Partial<State> {
  switch (event.type) {
    case "session.opened":
    case "visitor.introduced":
    case "session.identified":
    case "customer.described":
      return { nickname: nameIn(event) ?? state.nickname };
    case "message.posted":
      return {
        messages: state.messages + 1,
        ...(event.by_mail && { mail: "sending" }),
        ...(event.role === "assistant" && { failures: event.answered ? 0 : state.failures + 1 }),
      };
    case "answer.withheld":
      return { failures: event.answered ? 0 : state.failures + 1 };
    case "session.escalated":
      return { reason: event.reason, escalatedAt: Date.parse(event.at) };
    case "session.agent_lost":
      return { escalatedAt: Date.parse(event.at) };
    case "session.reopened":
      return { failures: 0 };
    case "session.deferred":
    case "mail.sent":
    case "mail.failed":
      return { mail: mailAfter(state, event.type) };
    case "session.assigned":
      return { agent: event.agent, offeredUntil: event.until };
    case "session.unassigned":
      return { agent: null, offeredUntil: null };
    case "session.rated":
      return { rating: event.score };
    case "tag.added":
      return { tags: [...state.tags, event.tag] };
    case "tag.removed":
      return { tags: state.tags.filter((tag) => tag !== event.tag) };
    default:
      return {};
  }
}

type Naming = Extract<LogEvent, { type: "session.opened" | "visitor.introduced" | "session.identified" | "customer.described" }>;

function nameIn(event: Naming): string | undefined {
  if (event.type === "session.opened") return event.nickname;
  if (event.type === "visitor.introduced") return event.name;
  const { verified_by, name } = event.customer;
  return verified_by === "token" && name ? name : undefined;
}

/** What somebody got counts as sent, whoever else refused it. */
function mailAfter({ mail }: State, type: "session.deferred" | "mail.sent" | "mail.failed"): State["mail"] {
  if (type === "session.deferred") return "sending";
  if (type === "mail.sent") return "sent";
  return mail === "sending" ? "failed" : mail;
}

/** A stretch in which a person was awaited, by index: from the event that began it to the one that ended it. */
export interface Wait {
  from: number;
  to: number;
  ms: number;
}

/** One that goes on is as long as the log shows. */
export function waitsOf(events: readonly LogEvent[], states: readonly State[]): Wait[] {
  const waits: Wait[] = [];
  let from = -1;
  states.forEach(({ status }, index) => {
    const waitsNow = status === "pending_manual";
    if (waitsNow && from < 0) from = index;
    const isOver = !waitsNow || index === states.length - 1;
    if (from < 0 || !isOver) return;
    waits.push({ from, to: index, ms: timeOf(events[index]) - timeOf(events[from]) });
    from = -1;
  });
  return waits;
}

export function timeOf(event: LogEvent | undefined): number {
  return event ? Date.parse(event.at) : 0;
}
