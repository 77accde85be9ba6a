import {
  type Actor,
  type AgentRef,
  type AnswerDelta,
  type Frame,
  isAside,
  isLogEvent,
  type JoinEvent,
  type LogEvent,
  type MessagePosted,
  type MoveEvent,
  type QueuePosition,
  type Read,
  type Role,
  type SessionOpened,
  type SessionRated,
  type SessionStatus,
  type StreamReady,
  type Typing,
} from "./events";
import type { FileRef } from "./files";
import { isJoin } from "./joins";

/** The sender's own message until the log has it. */
export interface PendingMessage {
  client_msg_id: string;
  content: string;
  files?: readonly FileRef[];
  role: Role;
  failed: boolean;
  /** Why the server refused it. */
  code?: string;
  /** How far its writer had read. */
  seen?: number;
}

/** An answer being written. `stale` since a disconnect, until the server repeats it. */
export interface Draft {
  draft_id: string;
  reply_to: number;
  text: string;
  stale: boolean;
}

/** What a long conversation was opened without: messages and their evidence before the seq `first`. */
export interface Gap {
  first: number;
  /** So many messages, and of them so many of the visitor. */
  messages: number;
  theirs: number;
}

export interface Conversation {
  /** The highest seq seen: where to resume. */
  cursor: number;
  /** Sorted by seq, each once. */
  events: readonly LogEvent[];
  /** Null where all is here. */
  gap: Gap | null;
  pending: readonly PendingMessage[];
  drafts: Readonly<Record<string, Draft>>;
  typing: Readonly<Record<string, Actor>>;
  opened: SessionOpened | null;
  status: SessionStatus;
  epoch: number;
  agent: AgentRef | null;
  /** The last move, which explains `status`; null while the session only opened. */
  move: MoveEvent | null;
  queue: Omit<QueuePosition, "type"> | null;
  /** True between `stream.ready` and the end of the connection. */
  ready: boolean;
  /** True once the stream was ready: what there was to hear has been heard. */
  synced: boolean;
  /** The seqs up to which each side has read. */
  read: { visitor: number; agent: number };
  /** Only agents hear of these two; null while nobody knows. */
  viewers: readonly AgentRef[];
  visitorOnline: boolean | null;
  endedDrafts: Readonly<Record<string, true>>;
  /** A draft answering this seq or an earlier one is over: answered already, or fenced off by a move. */
  draftFloor: number;
}

export function emptyConversation(): Conversation {
  return {
    cursor: 0,
    events: [],
    gap: null,
    pending: [],
    drafts: {},
    typing: {},
    opened: null,
    status: "bot_active",
    epoch: 0,
    agent: null,
    move: null,
    queue: null,
    ready: false,
    synced: false,
    read: { visitor: 0, agent: 0 },
    viewers: [],
    visitorOnline: null,
    endedDrafts: {},
    draftFloor: 0,
  };
}

/** Pure. A repeat changes nothing, and log events may come in any order. */
export function fold(state: Conversation, frame: Frame): Conversation {
  if (isLogEvent(frame)) {
    const known = state.events.some((event) => event.seq === frame.seq);
    if (known) return state;
    // They change nothing but what is read: see `joins.ts`.
    return isJoin(frame) ? recorded(state, frame) : folded(recorded(state, frame), frame);
  }
  return folded(state, frame);
}

/** As `fold` of each, but looks through what is known once and not for every one of them. */
export function foldAll(state: Conversation, found: readonly LogEvent[]): Conversation {
  const known = new Set(state.events.map(({ seq }) => seq));
  const news = found.filter(({ seq }) => !known.has(seq) && known.add(seq));
  const own = new Set(news.map((event) => event.client_msg_id));
  const all: Conversation = {
    ...state,
    cursor: news.reduce((most, { seq }) => Math.max(most, seq), state.cursor),
    events: [...state.events, ...news].toSorted((a, b) => a.seq - b.seq),
    pending: state.pending.filter((message) => !own.has(message.client_msg_id)),
  };
  return news.reduce((next, event) => (isJoin(event) ? next : folded(next, event)), all);
}

function folded(state: Conversation, frame: Exclude<Frame, JoinEvent>): Conversation {
  if (isAside(frame)) return state;
  switch (frame.type) {
    case "session.opened":
      return { ...state, opened: frame };
    case "message.posted":
      return posted(state, frame);
    case "session.escalated":
    case "session.agent_lost":
    case "session.returned":
    case "session.reopened":
    case "session.deferred":
      return moved(state, frame);
    case "session.taken_over":
    case "session.transferred":
    case "session.released":
    case "session.closed":
      return withDraftFloor(moved(state, frame), frame.seq);
    case "answer.delta":
      return drafted(state, frame);
    case "answer.dropped":
      return withoutDraft(state, frame.draft_id);
    case "typing":
      return typed(state, frame);
    case "queue.position":
      return queued(state, frame);
    case "read":
      return read(state, frame);
    case "viewers":
      return { ...state, viewers: frame.agents };
    case "visitor.online":
      return { ...state, visitorOnline: frame.online };
    case "stream.ready":
      return ready(state, frame);
    case "stream.ended":
      return withDisconnect(state);
    default:
      return assertNever(frame, state);
  }
}

/** Holds the switch exhaustive; at run time a newer server may say more than this client knows. */
function assertNever(_frame: never, state: Conversation): Conversation {
  return state;
}

function recorded(state: Conversation, event: LogEvent): Conversation {
  const at = state.events.findLastIndex((earlier) => earlier.seq < event.seq) + 1;
  const own = event.client_msg_id;
  return {
    ...state,
    cursor: Math.max(state.cursor, event.seq),
    events: state.events.toSpliced(at, 0, event),
    pending: own ? state.pending.filter((message) => message.client_msg_id !== own) : state.pending,
  };
}

function posted(state: Conversation, event: MessagePosted): Conversation {
  let next = withoutTyping(state, event.actor);
  if (event.draft_id) next = withoutDraft(next, event.draft_id);
  return event.role === "assistant" && event.reply_to ? withDraftFloor(next, event.reply_to) : next;
}

function moved(state: Conversation, event: MoveEvent): Conversation {
  if (state.move && state.move.seq > event.seq) return state;
  return {
    ...state,
    move: event,
    status: event.to,
    epoch: event.epoch,
    agent: event.to === "manual_live" ? agentAfter(state, event) : null,
    queue: event.to === "pending_manual" ? state.queue : null,
    typing: {},
  };
}

function agentAfter(state: Conversation, event: MoveEvent): AgentRef | null {
  return event.type === "session.taken_over" || event.type === "session.transferred" ? event.agent : state.agent;
}

function drafted(state: Conversation, frame: AnswerDelta): Conversation {
  const { draft_id, reply_to } = frame;
  if (state.endedDrafts[draft_id] || reply_to <= state.draftFloor) return state;
  const before = [...(state.drafts[draft_id]?.text ?? "")];
  // Behind a lost delta nothing fits; the message event brings the whole text.
  if (frame.offset > before.length) return state;
  const added = [...frame.text];
  const text = [...before.slice(0, frame.offset), ...added, ...before.slice(frame.offset + added.length)].join("");
  return { ...state, drafts: { ...state.drafts, [draft_id]: { draft_id, reply_to, text, stale: false } } };
}

function withoutDraft(state: Conversation, draftId: string): Conversation {
  const { [draftId]: _ended, ...drafts } = state.drafts;
  return { ...state, drafts, endedDrafts: { ...state.endedDrafts, [draftId]: true } };
}

function withDraftFloor(state: Conversation, seq: number): Conversation {
  if (seq <= state.draftFloor) return state;
  return { ...state, draftFloor: seq, drafts: keepDrafts(state, (draft) => draft.reply_to > seq) };
}

function keepDrafts(state: Conversation, keep: (draft: Draft) => boolean): Record<string, Draft> {
  return Object.fromEntries(Object.entries(state.drafts).filter(([, draft]) => keep(draft)));
}

export function actorKey(actor: Actor): string {
  return `${actor.kind}:${actor.id ?? ""}`;
}

function typed(state: Conversation, frame: Typing): Conversation {
  if (!frame.active) return withoutTyping(state, frame.actor);
  return { ...state, typing: { ...state.typing, [actorKey(frame.actor)]: frame.actor } };
}

function withoutTyping(state: Conversation, actor: Actor): Conversation {
  const { [actorKey(actor)]: _stopped, ...typing } = state.typing;
  return { ...state, typing };
}

function queued(state: Conversation, place: QueuePosition): Conversation {
  if (state.status !== "pending_manual") return state;
  const { position, waiting, estimate_seconds } = place;
  return { ...state, queue: { position, waiting, estimate_seconds } };
}

function read(state: Conversation, { actor: { kind }, seq }: Read): Conversation {
  if (kind !== "visitor" && kind !== "agent") return state;
  return seq > state.read[kind] ? { ...state, read: { ...state.read, [kind]: seq } } : state;
}

function ready(state: Conversation, frame: StreamReady): Conversation {
  const known = state.move?.seq ?? 0;
  const status = frame.seq >= known ? frame.status : state.status;
  const epoch = Math.max(state.epoch, frame.epoch);
  return { ...state, status, epoch, ready: true, synced: true, drafts: keepDrafts(state, (draft) => !draft.stale) };
}

/** The connection is gone: who types and who is there is unknown, and a draft may have ended unseen. */
export function withDisconnect(state: Conversation): Conversation {
  const stale = Object.entries(state.drafts).map(([id, draft]) => [id, { ...draft, stale: true }] as const);
  const unknown = { typing: {}, queue: null, viewers: [], visitorOnline: null };
  return { ...state, ...unknown, ready: false, drafts: Object.fromEntries(stale) };
}

export type NewMessage = Pick<PendingMessage, "client_msg_id" | "content" | "files" | "role" | "seen">;

/** Shows an own message at once; also takes a failed one up again. */
export function withPending(state: Conversation, message: NewMessage): Conversation {
  if (state.events.some((event) => event.client_msg_id === message.client_msg_id)) return state;
  const at = state.pending.findIndex((other) => other.client_msg_id === message.client_msg_id);
  const pending = { ...message, failed: false };
  return { ...state, pending: at < 0 ? [...state.pending, pending] : state.pending.with(at, pending) };
}

export function withFailed(state: Conversation, clientMsgId: string, code?: string): Conversation {
  const marked = (message: PendingMessage) =>
    message.client_msg_id === clientMsgId ? { ...message, failed: true, ...(code && { code }) } : message;
  return { ...state, pending: state.pending.map(marked) };
}

export function withoutPending(state: Conversation, clientMsgId: string): Conversation {
  return { ...state, pending: state.pending.filter((message) => message.client_msg_id !== clientMsgId) };
}

export function messages(state: Conversation): MessagePosted[] {
  return state.events.filter((event) => event.type === "message.posted");
}

/** The ids of the tags that the session carries, in the order they were added; only agents hear of them. */
export function tagsOf({ events }: Conversation): string[] {
  const tags = new Set<string>();
  for (const event of events) {
    if (event.type === "tag.added") tags.add(event.tag);
    if (event.type === "tag.removed") tags.delete(event.tag);
  }
  return [...tags];
}

/** The visitor's last rating. */
export function ratingOf({ events }: Conversation): SessionRated | undefined {
  return events.findLast((event) => event.type === "session.rated");
}

/** The visitor's message that the bot looks into now: their last, if it was asked of the bot and nothing came between. */
export function askedOfBot(state: Conversation): MessagePosted | undefined {
  const last = messages(state).findLast(({ role }) => role !== "system");
  // A bot that comes back, from wherever, takes up only what is written from then on.
  const isAsked = state.status === "bot_active" && last?.role === "user" && last.seq > (state.move?.seq ?? 0);
  return isAsked ? last : undefined;
}

/** What the bot and the agents said that the visitor has not read. */
export function unreadByVisitor(state: Conversation): MessagePosted[] {
  return messages(state).filter((message) => message.role !== "user" && message.seq > state.read.visitor);
}

export function runningDrafts(state: Conversation): Draft[] {
  return Object.values(state.drafts).toSorted((a, b) => a.reply_to - b.reply_to);
}
