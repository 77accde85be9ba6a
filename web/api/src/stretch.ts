import type { LogEvent } from "./events";
import { type Conversation, foldAll, type Gap, messages } from "./fold";

/** What `GET /api/sessions/{name}/log` answers: a stretch of the log, and what stands before it. */
export interface Stretch extends Gap {
  events: readonly LogEvent[];
}

/** Takes a stretch in, the last one or the one before what is known. */
export function foldStretch(state: Conversation, { events, first, messages, theirs }: Stretch): Conversation {
  const isKnown = state.cursor > 0 && first >= (state.gap?.first ?? 1);
  return { ...foldAll(state, events), gap: isKnown ? state.gap : first > 1 ? { first, messages, theirs } : null };
}

/** Forgets what was said before the last `kept` messages, as though the conversation had just been opened. */
export function withoutEarlier(state: Conversation, kept: number): Conversation {
  const said = messages(state);
  const first = said.at(-kept)?.seq;
  if (said.length <= kept || first === undefined) return state;
  const gone = said.slice(0, -kept);
  const theirs = gone.filter(({ role }) => role === "user").length;
  return {
    ...state,
    events: state.events.filter((event) => event.seq >= first || !isLeftOut(event)),
    gap: { first, messages: gone.length + (state.gap?.messages ?? 0), theirs: theirs + (state.gap?.theirs ?? 0) },
  };
}

/** As the server leaves them out. */
function isLeftOut({ type }: LogEvent): boolean {
  return type === "message.posted" || type === "answer.evidenced";
}
