import type { Client } from "./client";
import type { Frame, JoinEvent, LogEvent, MessagePosted } from "./events";

/** A message that a merge or a split brought into a session from where it was said. */
export type Brought = MessagePosted & { session_name: string };

/** An event as it is read in a session: without `session_name` it is the session's own. */
export type ReadEvent = LogEvent & { session_name?: string };

export interface MessagesPage {
  data: { messages: Brought[]; next_cursor: string | null };
}

export function isJoin(event: Frame): event is JoinEvent {
  return ["session.merged", "session.merged_into", "session.split_from", "session.split_off"].includes(event.type);
}

/** Whether there is something to read here that was said elsewhere. */
export function brings(event: Frame): boolean {
  return event.type === "session.merged" || event.type === "session.split_from";
}

/** All messages at `path`, page by page. Throws `ApiError`. */
export async function allMessages(request: Client["request"], path: string, others = false): Promise<Brought[]> {
  const said: Brought[] = [];
  let after: string | null = "";
  while (after !== null) {
    const { data }: MessagesPage = await request<MessagesPage>(path, { query: { after, others } });
    said.push(...data.messages);
    after = data.next_cursor;
  }
  return said;
}

/**
 * The session's events with what was brought, each run of it where it belongs by its time, and without what moved
 * away: the order in which the server reads it too.
 */
export function joined(events: readonly LogEvent[], brought: readonly Brought[]): ReadEvent[] {
  const own = events.filter((event) => !hasMoved(event, events));
  const shown: ReadEvent[] = [];
  let taken = 0;
  let run: string | undefined;
  for (const message of brought) {
    if (message.session_name !== run) {
      run = message.session_name;
      const younger = own.findIndex((event, index) => index >= taken && event.at > message.at);
      const place = younger < 0 ? own.length : younger;
      shown.push(...own.slice(taken, place));
      taken = place;
    }
    shown.push(message);
  }
  return [...shown, ...own.slice(taken)];
}

function hasMoved(event: LogEvent, events: readonly LogEvent[]): boolean {
  if (event.type !== "message.posted") return false;
  return events.some((mark) => mark.type === "session.split_off" && event.seq >= mark.from_seq && event.seq <= mark.to_seq);
}
