import type { AnswerEvidenced, LogEvent, MessagePosted, SessionRated } from "@kefu/api";
import { isMove, type Move } from "./moves";

/** One thing to show in a conversation, in the order it happened. */
export type Line =
  | { kind: "day"; key: string; at: Date }
  | { kind: "event"; key: string; event: Move }
  | { kind: "rating"; key: string; rating: SessionRated }
  | {
      kind: "message";
      key: string;
      message: MessagePosted;
      evidence: AnswerEvidenced | undefined;
      /** The same speaker goes on: no need to say the name again. */
      continues: boolean;
    };

const PAUSE_MS = 5 * 60_000;

export function linesOf(events: readonly LogEvent[]): Line[] {
  const evidence = evidenceOf(events);
  const lines: Line[] = [];
  let before: LogEvent | undefined;
  for (const event of events) {
    if (event.type !== "message.posted" && event.type !== "session.rated" && !isMove(event)) continue;
    const at = new Date(event.at);
    if (!before || new Date(before.at).toDateString() !== at.toDateString()) {
      lines.push({ kind: "day", key: `day ${event.seq}`, at });
    }
    lines.push(lineOf(event, evidence, before));
    before = event;
  }
  return lines;
}

function lineOf(
  event: MessagePosted | SessionRated | Move,
  evidence: ReadonlyMap<string, AnswerEvidenced>,
  before: LogEvent | undefined,
): Line {
  const key = `seq ${event.seq}`;
  if (event.type === "session.rated") return { kind: "rating", key, rating: event };
  if (event.type !== "message.posted") return { kind: "event", key, event };
  const found = event.draft_id ? evidence.get(event.draft_id) : undefined;
  return { kind: "message", key, message: event, evidence: found, continues: continues(event, before) };
}

function continues(message: MessagePosted, before: LogEvent | undefined): boolean {
  if (before?.type !== "message.posted") return false;
  const { actor, role } = before;
  const isSame = role === message.role && actor.kind === message.actor.kind && actor.id === message.actor.id;
  return isSame && Date.parse(message.at) - Date.parse(before.at) < PAUSE_MS;
}

function evidenceOf(events: readonly LogEvent[]): Map<string, AnswerEvidenced> {
  return new Map(
    events.flatMap((event) => (event.type === "answer.evidenced" ? [[event.draft_id, event] as const] : [])),
  );
}
