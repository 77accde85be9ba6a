import type * as Api from "./generated";

export type Role = Api.Message["role"];
export type SessionStatus = Api.SessionOut["status"];
export type AgentRef = Api.AgentRef;
export type Source = Api.SourceOut;
export type ActorKind = "visitor" | "agent" | "bot" | "system";

export interface Actor {
  kind: ActorKind;
  id?: string;
  name?: string;
}

/** A passage as agents see it: what the bot actually read, with the hash that proves it. */
export interface Passage {
  passage_id: string;
  article_id: string;
  version: number;
  title: string;
  text_hash: string;
  text: string;
  score: number;
}

/** `seq` is gapless per session; a visitor's view skips the internal ones. */
interface Logged<Type extends string> {
  type: Type;
  seq: number;
  /** ISO 8601, UTC */
  at: string;
  actor: Actor;
  client_msg_id?: string | null;
}

interface Move<Type extends string> extends Logged<Type> {
  from: SessionStatus;
  to: SessionStatus;
  epoch: number;
}

export interface SessionOpened extends Logged<"session.opened"> {
  shop: string;
  locale: string;
  conversation_id: string;
  nickname: string;
}

export interface MessagePosted extends Logged<"message.posted"> {
  role: Role;
  content: string;
  /** seq of the message this one answers */
  reply_to?: number | null;
  draft_id?: string | null;
  /** false when the knowledge had nothing to say */
  answered?: boolean | null;
  sources?: Source[] | null;
}

export interface SessionEscalated extends Move<"session.escalated"> {
  reason: string;
  details?: unknown;
  severity?: string | null;
}

export interface SessionTakenOver extends Move<"session.taken_over"> {
  agent: AgentRef;
}

/** From one agent to another. */
export interface SessionTransferred extends Move<"session.transferred"> {
  agent: AgentRef;
  from_agent?: AgentRef | null;
}

export interface SessionReleased extends Move<"session.released"> {
  reason?: string | null;
}

export interface SessionClosed extends Move<"session.closed"> {
  reason?: string | null;
}

export type SessionReopened = Move<"session.reopened">;

/** From the queue back to the bot: cancelled, or nobody came in time. */
export interface SessionReturned extends Move<"session.returned"> {
  reason?: string | null;
}

/** Internal: agents only. */
export interface AnswerEvidenced extends Logged<"answer.evidenced"> {
  reply_to: number;
  draft_id: string;
  provider: string;
  model: string;
  knowledge_version: number | string;
  passages: Passage[];
  prompt_hash: string;
  tokens: unknown;
  cost: unknown;
  latency_ms: number;
  answered: boolean;
}

/** Internal: an agent sent a reply although others had written since they looked. */
export interface ReplyForced extends Logged<"reply.forced"> {
  seen_seq: number;
  missed: number;
  message_seq: number;
}

/** A colleague as a note or a question names them. */
export interface Named extends AgentRef {
  username: string;
}

/** Internal: notes of agents. The last event of a note says how it stands. */
export interface NoteWritten extends Logged<"note.added" | "note.edited"> {
  note_id: string;
  content: string;
  mentions: Named[];
}

export interface NoteRemoved extends Logged<"note.removed"> {
  note_id: string;
}

export type NoteEvent = NoteWritten | NoteRemoved;

/** Internal: a colleague is asked to take the session. */
export interface TransferRequested extends Logged<"transfer.requested"> {
  request_id: string;
  from_agent: AgentRef;
  to_agent: AgentRef;
  reason: string;
  note: string;
  forced: boolean;
  lasts_seconds: number;
}

/** Internal: and how that ended. `reason`: what it expired of. */
export interface TransferEnded
  extends Logged<"transfer.accepted" | "transfer.declined" | "transfer.cancelled" | "transfer.expired"> {
  request_id: string;
  note?: string;
  reason?: string;
}

/** Internal: a colleague is asked something, and answers. */
export interface AssistRequested extends Logged<"assist.requested"> {
  assist_id: string;
  assistant: Named;
  question: string;
}

export interface AssistAnswered extends Logged<"assist.answered"> {
  assist_id: string;
  answer: string;
}

/** What agents say and do among themselves about a session. */
export type TeamEvent = NoteEvent | TransferRequested | TransferEnded | AssistRequested | AssistAnswered;

export type MoveEvent =
  | SessionEscalated
  | SessionTakenOver
  | SessionTransferred
  | SessionReleased
  | SessionClosed
  | SessionReopened
  | SessionReturned;

export type LogEvent = SessionOpened | MessagePosted | MoveEvent | AnswerEvidenced | ReplyForced | TeamEvent;

export interface StreamReady {
  type: "stream.ready";
  seq: number;
  status: SessionStatus;
  epoch: number;
}

/** `offset` counts Unicode code points, as the server does, not UTF-16 units. */
export interface AnswerDelta {
  type: "answer.delta";
  draft_id: string;
  reply_to: number;
  offset: number;
  text: string;
}

export interface AnswerDropped {
  type: "answer.dropped";
  draft_id: string;
}

export interface Typing {
  type: "typing";
  actor: Actor;
  active: boolean;
}

export interface QueuePosition {
  type: "queue.position";
  position: number;
  waiting: number;
}

/** How far one side has read. The actor's kind says which; it never goes back. */
export interface Read {
  type: "read";
  actor: Actor;
  seq: number;
}

/** Internal: the agents who have this session open. */
export interface Viewers {
  type: "viewers";
  agents: AgentRef[];
}

/** Internal: whether the visitor has the chat open. */
export interface VisitorOnline {
  type: "visitor.online";
  online: boolean;
}

export interface StreamEnded {
  type: "stream.ended";
  reason: "restart" | "slow" | "revoked";
}

export type EphemeralFrame =
  | StreamReady
  | AnswerDelta
  | AnswerDropped
  | Typing
  | QueuePosition
  | Read
  | Viewers
  | VisitorOnline
  | StreamEnded;

/** Everything `GET /api/sessions/{name}/events` can say. */
export type Frame = LogEvent | EphemeralFrame;

/** A session as a list brings it, with what its reader has not read. Times are Unix seconds. */
export type ListedSession = Api.ListedSession;

/** A session as the workbench stream tells everybody of it. */
export type SessionSummary = Omit<ListedSession, "unread">;

export interface SessionChanged {
  type: "session.changed";
  session: SessionSummary;
}

/** This agent has read a session, maybe in another tab. `read_count`: of the visitor's messages. */
export interface SessionRead {
  type: "session.read";
  session: string;
  seq: number;
  read_count: number;
}

/** The agents who have the workbench open. */
export interface Presence {
  type: "presence";
  agents: AgentRef[];
}

/** A transfer that this agent asked for, is asked for, or that concerns a session of theirs. */
export interface TransferChanged {
  type: "transfer.changed";
  request_id: string;
  session: string;
  status: "pending" | "accepted" | "declined" | "cancelled" | "expired";
  forced: boolean;
  from_agent: AgentRef;
  to_agent: AgentRef;
  /** Of the answer. */
  note: string;
  ended_by: string | null;
}

/** A question that this agent asked or is asked. */
export interface AssistChanged {
  type: "assist.changed";
  assist_id: string;
  session: string;
  status: "pending" | "answered";
  requester: AgentRef;
  assistant: AgentRef;
}

/** This agent is named in a note, or not any more, or has read where. `by`: who named them just now. */
export interface MentionsChanged {
  type: "mentions.changed";
  session: string | null;
  note_id: string | null;
  by: string | null;
}

/** What is told to single agents; what holds is asked for again. */
export type TeamFrame = TransferChanged | AssistChanged | MentionsChanged;

/** Everything `GET /api/agent/events` can say; after `stream.ready` the list is fetched again. */
export type DeskFrame = SessionChanged | SessionRead | Presence | TeamFrame | { type: "stream.ready" } | StreamEnded;

/** What takes a session from one state to the next, also a move that this client has no words for. */
export function isMoveEvent(event: LogEvent): event is MoveEvent {
  return event.type.startsWith("session.") && event.type !== "session.opened";
}

/** What only agents hear, and what changes nothing of where the conversation stands. */
export function isAside(frame: Frame): frame is TeamEvent | AnswerEvidenced | ReplyForced {
  return /^(?:note|transfer|assist)\.|^answer\.evidenced$|^reply\.forced$/.test(frame.type);
}

export function isLogEvent(frame: Frame): frame is LogEvent {
  return "seq" in frame && "at" in frame;
}
