import {
  type Conversation,
  type LogEvent,
  type MessagePosted,
  type MoveEvent,
  runningDrafts,
  type SessionRated,
  type Source,
} from "@kefu/api";

export interface MessageRow {
  kind: "message";
  /** The same for a pending message and the stored one, a draft and its answer: the bubble stays in place. */
  key: string;
  side: "own" | "bot" | "agent";
  content: string;
  name: string;
  at: string;
  state: "stored" | "sending" | "failed" | "streaming";
  clientMsgId: string;
  sources: Source[];
  unanswered: boolean;
  /** An agent has read this own message. */
  read: boolean;
  /** First and last of neighbouring messages from the same sender. */
  first: boolean;
  last: boolean;
}

export interface LineRow {
  kind: "line";
  key: string;
  /** A move, what the visitor thought of it, or a system message's own words. */
  event: MoveEvent | SessionRated | MessagePosted;
}

export interface DayRow {
  kind: "day";
  key: string;
  at: string;
}

export type Row = MessageRow | LineRow | DayRow;

/** What there is to see, oldest first. */
export function rows(state: Conversation): Row[] {
  const drafts = runningDrafts(state).map(({ draft_id, text }) =>
    messageRow({ key: `d:${draft_id}`, side: "bot", content: text, state: "streaming" }),
  );
  const pending = state.pending.map(({ client_msg_id, content, failed }) =>
    messageRow({ key: `c:${client_msg_id}`, side: "own", content, clientMsgId: client_msg_id, state: failed ? "failed" : "sending" }),
  );
  return grouped([...withDays(state), ...drafts, ...pending]);
}

function withDays({ events, read }: Conversation): Row[] {
  let day = "";
  return events.flatMap((event) => {
    const row = rowOf(event, read.agent);
    const today = new Date(event.at).toDateString();
    if (!row || today === day) return row ?? [];
    day = today;
    return [{ kind: "day", key: `day:${today}`, at: event.at } satisfies DayRow, row];
  });
}

function rowOf(event: LogEvent, readByAgent: number): Row | undefined {
  if (!isShown(event)) return undefined;
  if (event.type !== "message.posted" || event.role === "system") return { kind: "line", key: `e:${event.seq}`, event };
  const { seq, at, content, role, actor, draft_id, client_msg_id } = event;
  const side = role === "user" ? "own" : role === "agent" ? "agent" : "bot";
  const key = draft_id ? `d:${draft_id}` : client_msg_id ? `c:${client_msg_id}` : `e:${seq}`;
  const read = side === "own" && seq <= readByAgent;
  const sources = [...new Map((event.sources ?? []).map((source) => [source.article_id, source])).values()];
  return messageRow({ key, side, content, at, name: actor.name ?? "", sources, unanswered: event.answered === false, read });
}

function isShown(event: LogEvent): event is MoveEvent | SessionRated | MessagePosted {
  return event.type === "message.posted" || (event.type.startsWith("session.") && event.type !== "session.opened");
}

function messageRow(given: Pick<MessageRow, "key" | "side" | "content"> & Partial<MessageRow>): MessageRow {
  const unset = { name: "", at: "", state: "stored", clientMsgId: "", sources: [], unanswered: false, read: false } as const;
  return { kind: "message", first: true, last: true, ...unset, ...given, sources: given.sources ?? [] };
}

function grouped(all: Row[]): Row[] {
  const sender = (row: Row | undefined) => (row?.kind === "message" ? `${row.side}:${row.name}` : undefined);
  return all.map((row, index) => {
    if (row.kind !== "message") return row;
    return { ...row, first: sender(row) !== sender(all[index - 1]), last: sender(row) !== sender(all[index + 1]) };
  });
}
