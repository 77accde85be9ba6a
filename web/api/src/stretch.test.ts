import { expect, test } from "vitest";
import type { LogEvent } from "./events";
import { type Conversation, emptyConversation, fold, foldAll, messages, withPending } from "./fold";
import { foldStretch, withoutEarlier } from "./stretch";

const at = "2025-06-01T08:00:00Z";
const ann = { kind: "agent", id: "a1", name: "Ann" } as const;

function said(seq: number, role: "user" | "agent" = seq % 2 ? "agent" : "user"): LogEvent {
  const actor = role === "user" ? ({ kind: "visitor" } as const) : ann;
  return { type: "message.posted", seq, at, actor, role, content: `words ${seq}`, client_msg_id: `m${seq}` };
}

const opened: LogEvent = {
  type: "session.opened", seq: 1, at, actor: { kind: "visitor" }, shop: "demo", locale: "en", conversation_id: "c", nickname: "Guest",
};
const takenOver: LogEvent = {
  type: "session.taken_over", seq: 3, at, actor: ann, agent: { id: "a1", name: "Ann" }, epoch: 1, from: "pending_manual", to: "manual_live",
};
const log: LogEvent[] = [opened, said(2, "user"), takenOver, ...[4, 5, 6, 7, 8, 9].map((seq) => said(seq))];
const tail = { events: [opened, takenOver, said(8), said(9)], first: 8, messages: 5, theirs: 3 };
const seqs = ({ events }: Conversation) => events.map(({ seq }) => seq);

test("many at once are folded as one after the other, in any order and repeated", () => {
  const before = withPending(emptyConversation(), { client_msg_id: "m9", content: "words 9", role: "agent" });
  const each = log.reduce(fold, before);
  expect(foldAll(before, [...log.toReversed(), ...log])).toEqual(each);
  expect(foldAll(each, log)).toEqual(each);
});

test("a conversation opened at its end stands as the whole one, and fills up backwards", () => {
  const end = foldStretch(emptyConversation(), tail);
  expect(end).toMatchObject({ cursor: 9, status: "manual_live", epoch: 1, gap: { first: 8, messages: 5, theirs: 3 } });
  const more = foldStretch(end, { events: [said(6), said(7)], first: 6, messages: 3, theirs: 2 });
  expect(seqs(more)).toEqual([1, 3, 6, 7, 8, 9]);
  const all = foldStretch(more, { events: log.slice(0, 5), first: 1, messages: 0, theirs: 0 });
  expect(all).toEqual({ ...log.reduce(fold, emptyConversation()), gap: null });
});

test("an end that comes again after more was read takes nothing away", () => {
  const all = foldStretch(foldStretch(emptyConversation(), tail), { events: log, first: 1, messages: 0, theirs: 0 });
  expect(foldStretch(all, tail)).toEqual(all);
});

test("what was read back is forgotten but for how the session stands", () => {
  const all = foldAll(emptyConversation(), log);
  const left = withoutEarlier(all, 2);
  expect(left).toEqual(foldStretch(emptyConversation(), tail));
  expect(withoutEarlier(left, 2)).toBe(left);
  expect(messages(withoutEarlier(left, 1)).length).toBe(1);
  expect(withoutEarlier(left, 1).gap).toMatchObject({ messages: 6, theirs: 4 });
});
