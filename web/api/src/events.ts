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

export type MoveEvent =
  | SessionEscalated
  | SessionTakenOver
  | SessionReleased
  | SessionClosed
  | SessionReopened
  | SessionReturned;

export type LogEvent = SessionOpened | MessagePosted | MoveEvent | AnswerEvidenced;

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

export interface StreamEnded {
  type: "stream.ended";
  reason: "restart" | "slow" | "revoked";
}

export type EphemeralFrame = StreamReady | AnswerDelta | AnswerDropped | Typing | QueuePosition | StreamEnded;

/** Everything `GET /api/sessions/{name}/events` can say. */
export type Frame = LogEvent | EphemeralFrame;

/** A session in lists and on the workbench stream. Times are Unix seconds. */
export type SessionSummary = Api.Summary;

export interface SessionChanged {
  type: "session.changed";
  session: SessionSummary;
}

/** Everything `GET /api/agent/events` can say; after `stream.ready` the list is fetched again. */
export type DeskFrame = SessionChanged | { type: "stream.ready" } | StreamEnded;

export function isLogEvent(frame: Frame): frame is LogEvent {
  return "seq" in frame && frame.type !== "stream.ready";
}
