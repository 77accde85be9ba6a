import {
  type Brought,
  type Conversation,
  type FileRef,
  isMoveEvent,
  joined,
  type MessagePosted,
  type MoveEvent,
  type ReadEvent,
  runningDrafts,
  type SessionRated,
  type SessionSplitOff,
  type Source,
} from "@kefu/api";

export interface MessageRow {
  kind: "message";
  /** The same for a pending message and the stored one, a draft and its answer: the bubble stays in place. */
  key: string;
  side: "own" | "bot" | "agent";
  content: string;
  files: readonly FileRef[];
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
  /** A move, what moved away, what the visitor thought of it, or a system message's own words. */
  event: MoveEvent | MessagePosted | SessionSplitOff | SessionRated;
}

/** From here on another conversation is read, or this one again. */
export interface PartRow {
  kind: "part";
  key: string;
  isOwn: boolean;
}

export interface DayRow {
  kind: "day";
  key: string;
  at: string;
}

export type Row = MessageRow | LineRow | DayRow | PartRow;

/** What there is to see, oldest first. `brought`: what was said in other sessions that go on in this one. */
export function rows(state: Conversation, brought: readonly Brought[] = []): Row[] {
  const drafts = runningDrafts(state).map(({ draft_id, text }) =>
    messageRow({ key: `d:${draft_id}`, side: "bot", content: text, state: "streaming" }),
  );
  const pending = state.pending.map(({ client_msg_id, content, failed, files = [] }) =>
    messageRow({ key: `c:${client_msg_id}`, side: "own", content, files, clientMsgId: client_msg_id, state: failed ? "failed" : "sending" }),
  );
  return grouped([...stored(state, brought), ...drafts, ...pending]);
}

/** With a line before each day and before each change of conversation. */
function stored({ events, read }: Conversation, brought: readonly Brought[]): Row[] {
  let day = "";
  let session: string | undefined;
  return joined(events, brought).flatMap((event) => {
    const row = rowOf(event, read.agent);
    if (!row) return [];
    const lines: Row[] = [];
    const today = new Date(event.at).toDateString();
    if (today !== day) lines.push({ kind: "day", key: `day:${today}:${row.key}`, at: event.at });
    if (event.session_name !== session) lines.push({ kind: "part", key: `part:${row.key}`, isOwn: !event.session_name });
    day = today;
    session = event.session_name;
    return [...lines, row];
  });
}

function rowOf(event: ReadEvent, readByAgent: number): Row | undefined {
  if (isMoveEvent(event) || event.type === "session.split_off" || event.type === "session.rated") {
    return { kind: "line", key: `e:${event.seq}`, event };
  }
  if (event.type !== "message.posted") return undefined;
  if (event.role === "system") return { kind: "line", key: `e:${event.seq}`, event };
  const { seq, at, content, role, actor, draft_id, client_msg_id, files = [] } = event;
  const side = role === "user" ? "own" : role === "agent" ? "agent" : "bot";
  const key = draft_id ? `d:${draft_id}` : client_msg_id ? `c:${client_msg_id}` : `e:${event.session_name ?? ""}${seq}`;
  const read = side === "own" && (event.session_name !== undefined || seq <= readByAgent);
  const sources = [...new Map((event.sources ?? []).map((source) => [source.article_id, source])).values()];
  return messageRow({ key, side, content, files, at, name: actor.name ?? "", sources, unanswered: event.answered === false, read });
}


function messageRow(given: Pick<MessageRow, "key" | "side" | "content"> & Partial<MessageRow>): MessageRow {
  const unset = { files: [], name: "", at: "", state: "stored", clientMsgId: "", sources: [], unanswered: false, read: false } as const;
  return { kind: "message", first: true, last: true, ...unset, ...given, sources: given.sources ?? [] };
}

function grouped(all: Row[]): Row[] {
  const sender = (row: Row | undefined) => (row?.kind === "message" ? `${row.side}:${row.name}` : undefined);
  return all.map((row, index) => {
    if (row.kind !== "message") return row;
    return { ...row, first: sender(row) !== sender(all[index - 1]), last: sender(row) !== sender(all[index + 1]) };
  });
}
