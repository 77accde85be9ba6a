import type { Conversation, MoveEvent } from "@kefu/api";

/** As the server has it: so long after its end a person's service may be rated. */
const WINDOW_MS = 24 * 3_600_000;

/** The end of a person's service that the visitor may say something about now, and has not. */
export function ratable(state: Conversation, now: number): MoveEvent | undefined {
  if (!state.synced || state.status === "pending_manual" || state.status === "manual_live") return undefined;
  const end = state.events.findLast((event) => isEnd(event.type) && "from" in event && event.from === "manual_live");
  if (!end || now - Date.parse(end.at) > WINDOW_MS) return undefined;
  const isRated = state.events.some((event) => event.type === "session.rated" && event.seq > end.seq);
  return isRated ? undefined : (end as MoveEvent);
}

function isEnd(type: string): boolean {
  return type === "session.released" || type === "session.closed";
}

export interface Verdict {
  score: number;
  comment: string;
  reasons: string[];
}
