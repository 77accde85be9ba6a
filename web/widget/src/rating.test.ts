import { type Conversation, emptyConversation, fold, type Frame } from "@kefu/api";
import { expect, test } from "vitest";
import { ratable } from "./rating";

const AT = "2026-11-27T10:00:00Z";
const NOW = Date.parse(AT);
const actor = { kind: "agent", id: "a", name: "Lena" } as const;
const move = (seq: number, type: string, from: string, to: string) => ({ type, seq, at: AT, actor, from, to, epoch: seq }) as Frame;
const released = move(3, "session.released", "manual_live", "bot_active");
const rated = { type: "session.rated", seq: 4, at: AT, actor: { kind: "visitor" }, episode: 1, score: 5, comment: "", reasons: [] } as Frame;

function after(...frames: Frame[]): Conversation {
  const ready = { type: "stream.ready", seq: 0, status: "bot_active", epoch: 0 } as Frame;
  return [ready, ...frames].reduce(fold, emptyConversation());
}

test("what a person did may be rated once they are gone, for a day, and once", () => {
  expect(ratable(after(released), NOW)?.seq).toBe(3);
  expect(ratable(after(released), NOW + 25 * 3_600_000)).toBeUndefined();
  expect(ratable(after(released, rated), NOW)).toBeUndefined();
});

test("the bot's part is not rated, nor anything while a person is there or awaited", () => {
  expect(ratable(after(move(2, "session.closed", "bot_active", "closed")), NOW)).toBeUndefined();
  expect(ratable(after(released, move(4, "session.escalated", "bot_active", "pending_manual")), NOW)).toBeUndefined();
});

test("the next service is asked for again", () => {
  const again = move(6, "session.closed", "manual_live", "closed");
  expect(ratable(after(released, rated, again), NOW)?.seq).toBe(6);
});
