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

/** The visitor's word on the people who served them in an episode. `score`: 1 to 5. */
export interface SessionRated extends Logged<"session.rated"> {
  episode: number;
  score: number;
  comment: string;
  reasons: string[];
}

/** Internal. `tag`: its id; `is_auto`: by a rule. */
export interface TagAdded extends Logged<"tag.added"> {
  tag: string;
  is_auto: boolean;
}

/** Internal. */
export interface TagRemoved extends Logged<"tag.removed"> {
  tag: string;
}

export type MoveEvent =
  | SessionEscalated
  | SessionTakenOver
  | SessionReleased
  | SessionClosed
  | SessionReopened
  | SessionReturned;

export type LogEvent =
  | SessionOpened
  | MessagePosted
  | MoveEvent
  | AnswerEvidenced
  | ReplyForced
  | SessionRated
  | TagAdded
  | TagRemoved;

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

/** Everything `GET /api/agent/events` can say; after `stream.ready` the list is fetched again. */
export type DeskFrame = SessionChanged | SessionRead | Presence | { type: "stream.ready" } | StreamEnded;

export function isLogEvent(frame: Frame): frame is LogEvent {
  return "seq" in frame && "at" in frame;
}
