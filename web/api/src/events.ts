import type * as Api from "./generated";
import type { IdentityEvent, VisitorIntroduced } from "./customer";
import type { FileRef } from "./files";
import { isJoin } from "./joins";
import type { Internal } from "./internal";
import type { PolicyFired } from "./policies";
import type { TeamEvent, TeamFrame } from "./team";
export type * from "./internal";

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
export interface Logged<Type extends string> {
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
  /** An agent's answer that goes out by mail as well. */
  by_mail?: boolean;
  sources?: Source[] | null;
  files?: FileRef[];
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

/** The agent was not heard of any more: the visitor waits for another one. */
export interface SessionAgentLost extends Move<"session.agent_lost"> {
  agent: AgentRef;
}

export type SessionReopened = Move<"session.reopened">;

/** From the queue back to the bot: cancelled, or nobody came in time. */
export interface SessionReturned extends Move<"session.returned"> {
  reason?: string | null;
}

/** Out of hours the visitor left an address; the team answers later. */
export interface SessionDeferred extends Move<"session.deferred"> {
  reason?: string | null;
  email: string;
}

/** Internal: what became of a mail. `purpose`: to the team, or an answer (`message_seq`) to the visitor. */
interface Mailed<Type extends string> extends Logged<Type> {
  purpose: "team" | "reply";
  message_seq?: number;
  to?: string | null;
}

export type MailSent = Mailed<"mail.sent">;

export interface MailFailed extends Mailed<"mail.failed"> {
  reason: "not_configured" | "refused" | "sign_in" | "unreachable" | "unreadable";
  /** What the mail server said. */
  detail: string;
}

/** Another session of this visitor goes on here: its log up to `up_to`, in which the first word was said at `began_at` (ms). */
export interface SessionMerged extends Logged<"session.merged"> {
  source: string;
  up_to: number;
  began_at: number;
}

export interface SessionMergedInto extends Logged<"session.merged_into"> {
  into: string;
}

/** This session began with a stretch of another one's log. */
export interface SessionSplitFrom extends Logged<"session.split_from"> {
  source: string;
  from_seq: number;
  to_seq: number;
  began_at: number;
}

/** What was said from one seq to another goes on in another session. */
export interface SessionSplitOff extends Logged<"session.split_off"> {
  into: string;
  from_seq: number;
  to_seq: number;
}

export type JoinEvent = SessionMerged | SessionMergedInto | SessionSplitFrom | SessionSplitOff;
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
  | SessionAgentLost
  | SessionTransferred
  | SessionReleased
  | SessionClosed
  | SessionReopened
  | SessionReturned
  | SessionDeferred;

export type MailEvent = MailSent | MailFailed;
export type TagEvent = TagAdded | TagRemoved;
export type LogEvent =
  | SessionOpened
  | MessagePosted
  | MoveEvent
  | JoinEvent
  | Internal
  | MailEvent
  | TeamEvent
  | SessionRated
  | IdentityEvent
  | VisitorIntroduced
  | TagEvent;

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
  /** until a person comes; null when nobody can know */
  estimate_seconds: number | null;
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
  reason: "restart" | "slow" | "revoked" | "hidden";
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

/** A session that this agent may not see any more: a colleague has it now. */
export interface SessionGone {
  type: "session.gone";
  session_name: string;
}

/** The agents who have the workbench open. */
export interface Presence {
  type: "presence";
  agents: AgentRef[];
}

/** What this agent does now, chosen in another tab or changed by itself. */
export interface AgentStatusChanged {
  type: "agent.status";
  status: Api.AgentStatus["status"];
  status_note: string;
  is_auto: boolean;
}

/** What this agent may do, or whether they may sign in at all, has just changed. */
export interface AccessChanged {
  type: "access.changed";
}

/** The team is told, once, of a long wait or of a long queue. */
export type QueueReminded = { type: "queue.reminded"; shop: string } & (
  | { what: "wait"; session: string; name: string; minutes: number }
  | { what: "crowd"; waiting: number }
);

/** Everything `GET /api/agent/events` can say; after `stream.ready` the list is fetched again. */
export type DeskFrame =
  | SessionChanged
  | SessionRead
  | SessionGone
  | Presence
  | AgentStatusChanged
  | AccessChanged
  | QueueReminded
  | PolicyFired
  | TeamFrame
  | { type: "stream.ready" }
  | StreamEnded;

const NO_MOVES = /^session\.(?:opened|rated|identified|signed_out|(?:un)?assigned)$/;

/** What takes a session from one state to the next, also a move that this client has no words for. */
export function isMoveEvent(event: LogEvent): event is MoveEvent {
  return event.type.startsWith("session.") && !NO_MOVES.test(event.type) && !isJoin(event);
}

type Aside = TeamEvent | MailEvent | TagEvent | SessionRated | IdentityEvent | VisitorIntroduced | Internal;

/** What only agents hear, and what changes nothing of where the conversation stands. */
export function isAside(frame: Frame): frame is Aside {
  return /^(?:note|transfer|assist|mail|tag|customer|page|invitation|policy|suggestion|handoff)\.|^session\.(?:rated|identified|signed_out|(?:un)?assigned)$|^queue\.reminded$|^answer\.(?:evidenced|withheld)$|^bot\.drafted$|^reply\.forced$/.test(frame.type);
}

export function isLogEvent(frame: Frame): frame is LogEvent {
  return "seq" in frame && "at" in frame;
}
