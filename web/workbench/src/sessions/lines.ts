import {
  type AnswerEvidenced,
  type Brought,
  isJoin,
  type IdentityEvent,
  type InvitationAnswered,
  type JoinEvent,
  joined,
  type LogEvent,
  type MailEvent,
  type MessagePosted,
  type PolicyEvent,
  type ReadEvent,
  type SessionRated,
  type TeamEvent,
} from "@kefu/api";
import { isTeamLine } from "../collaboration/teamLines";
import { isMove, type Move } from "./moves";

/** One thing to show in a conversation, in the order it happened. */
export type Line =
  | { kind: "day"; key: string; at: Date }
  | { kind: "event"; key: string; event: Move }
  | { kind: "join"; key: string; event: JoinEvent }
  /** From here on another session is read; null: this one again. */
  | { kind: "part"; key: string; session: string | null }
  | { kind: "mail"; key: string; event: MailEvent }
  | { kind: "team"; key: string; event: TeamEvent }
  | { kind: "policy"; key: string; event: PolicyEvent }
  | { kind: "rating"; key: string; rating: SessionRated }
  | { kind: "identity"; key: string; event: Identity }
  | {
      kind: "message";
      key: string;
      message: MessagePosted;
      evidence: AnswerEvidenced | undefined;
      /** The same speaker goes on: no need to say the name again. */
      continues: boolean;
    };

const PAUSE_MS = 5 * 60_000;

/**
 * `brought`: what was said in other sessions that go on in this one. `first`: what stands before this seq is not shown,
 * for what was said there is not here.
 */
export function linesOf(events: readonly LogEvent[], brought: readonly Brought[] = [], first = 1): Line[] {
  const read = joined(events, brought);
  const from = first > 1 ? read.findIndex((one) => one.session_name === undefined && one.seq >= first) : 0;
  return linesIn(from < 0 ? [] : read.slice(from), evidenceOf(events));
}

/** Of what is read here, in its order, and nothing left out. `evidence`: by draft. */
export function linesIn(read: readonly ReadEvent[], evidence: ReadonlyMap<string, AnswerEvidenced>): Line[] {
  const lines: Line[] = [];
  let before: ReadEvent | undefined;
  for (const event of read) {
    if (!isLine(event)) continue;
    const at = new Date(event.at);
    const key = keyOf(event);
    if (!before || new Date(before.at).toDateString() !== at.toDateString()) {
      lines.push({ kind: "day", key: `day ${key}`, at });
    }
    if (event.session_name !== before?.session_name) {
      lines.push({ kind: "part", key: `part ${key}`, session: event.session_name ?? null });
      before = undefined;
    }
    lines.push(lineOf(event, evidence, before));
    before = event;
  }
  return lines;
}

/** Who is there, and what brought them. What else is told of the customer is beside the conversation. */
type Identity = Exclude<IdentityEvent, { type: "customer.described" }> | InvitationAnswered;
type Shown = Identity | MessagePosted | MailEvent | Move | JoinEvent | PolicyEvent | TeamEvent | SessionRated;

function isLine<T extends LogEvent>(event: T): event is T & Shown {
  if (event.type === "message.posted" || event.type === "session.rated") return true;
  return isPolicy(event) || isIdentity(event) || isMail(event) || isMove(event) || isJoin(event) || isTeamLine(event);
}

function isIdentity(event: LogEvent): event is Identity {
  return event.type === "session.identified" || event.type === "session.signed_out" || event.type === "invitation.answered";
}

function isPolicy(event: LogEvent): event is PolicyEvent {
  return event.type === "policy.decided" || event.type === "answer.withheld";
}

function isMail(event: LogEvent): event is MailEvent {
  return event.type === "mail.sent" || event.type === "mail.failed";
}

function keyOf({ seq, session_name }: ReadEvent): string {
  return session_name ? `${session_name} ${seq}` : `seq ${seq}`;
}

function lineOf(
  event: Shown & Pick<ReadEvent, "session_name">,
  evidence: ReadonlyMap<string, AnswerEvidenced>,
  before: LogEvent | undefined,
): Line {
  const key = keyOf(event);
  if (isJoin(event)) return { kind: "join", key, event };
  if (event.type === "session.rated") return { kind: "rating", key, rating: event };
  if (isPolicy(event)) return { kind: "policy", key, event };
  if (isIdentity(event)) return { kind: "identity", key, event };
  if (isMail(event)) return { kind: "mail", key, event };
  if (event.type !== "message.posted") return isMove(event) ? { kind: "event", key, event } : { kind: "team", key, event };
  const found = event.draft_id ? evidence.get(event.draft_id) : undefined;
  return { kind: "message", key, message: event, evidence: found, continues: continues(event, before) };
}

function continues(message: MessagePosted, before: LogEvent | undefined): boolean {
  if (before?.type !== "message.posted") return false;
  const { actor, role } = before;
  const isSame = role === message.role && actor.kind === message.actor.kind && actor.id === message.actor.id;
  return isSame && Date.parse(message.at) - Date.parse(before.at) < PAUSE_MS;
}

export function evidenceOf(events: readonly LogEvent[]): Map<string, AnswerEvidenced> {
  return new Map(
    events.flatMap((event) => (event.type === "answer.evidenced" ? [[event.draft_id, event] as const] : [])),
  );
}
