import { emptyConversation, fold, type Frame, type LogEvent, withFailed, withPending } from "@kefu/api";
import { expect, test } from "vitest";
import { isAnswerRead, missedSince, readUpTo, staleReply } from "./reading";

const at = "2025-06-01T08:00:00Z";
const speakers = {
  user: { kind: "visitor" },
  assistant: { kind: "bot" },
  me: { kind: "agent", id: "a1", name: "Mei" },
  colleague: { kind: "agent", id: "a2", name: "Bo" },
} as const;

function said(seq: number, who: keyof typeof speakers): LogEvent {
  const role = who === "user" || who === "assistant" ? who : "agent";
  return { type: "message.posted", seq, at, actor: speakers[who], role, content: `text ${seq}` };
}

function all(...frames: Frame[]) {
  return frames.reduce(fold, emptyConversation());
}

const talk = all(said(2, "user"), said(3, "assistant"), said(4, "me"), said(5, "user"), said(6, "colleague"), said(7, "user"));

test("what was missed is what the customer and colleagues wrote since", () => {
  expect(missedSince(talk, 4, "a1").map((message) => message.seq)).toEqual([5, 6, 7]);
  expect(missedSince(talk, 0, "a2").map((message) => message.seq)).toEqual([2, 4, 5, 7]);
  expect(missedSince(talk, 7, "a1")).toEqual([]);
});

test("what is read is counted up to where one looked", () => {
  expect(readUpTo(talk, 6)).toEqual({ count: 2, last: 5 });
  expect(readUpTo(talk, 1)).toEqual({ count: 0, last: 0 });
});

test("a reply is stale only when the server says so", () => {
  const mine = { client_msg_id: "m1", content: "Done", role: "agent", seen: 4 } as const;
  const sending = withPending(talk, mine);
  expect(staleReply(sending)).toBeUndefined();
  expect(staleReply(withFailed(sending, "m1", "INVALID_STATUS"))).toBeUndefined();
  expect(staleReply(withFailed(sending, "m1", "STALE_VIEW"))).toMatchObject(mine);
});

test("an answer is read when the customer's mark has reached it and nothing came behind it", () => {
  const read: Frame = { type: "read", actor: { kind: "visitor" }, seq: 4 };
  expect(isAnswerRead(all(said(2, "user"), said(4, "me")))).toBe(false);
  expect(isAnswerRead(all(said(2, "user"), said(4, "me"), read))).toBe(true);
  expect(isAnswerRead(all(said(2, "user"), said(4, "me"), read, said(5, "user")))).toBe(false);
});
