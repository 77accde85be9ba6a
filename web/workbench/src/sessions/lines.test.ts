import type { LogEvent, MessagePosted } from "@kefu/api";
import { expect, test } from "vitest";
import { linesOf } from "./lines";

function says(seq: number, over: Partial<MessagePosted> = {}): MessagePosted {
  return {
    type: "message.posted",
    seq,
    at: `2026-03-01T12:00:${String(seq).padStart(2, "0")}Z`,
    actor: { kind: "visitor" },
    role: "user",
    content: `message ${seq}`,
    ...over,
  };
}

const bot = { role: "assistant" as const, actor: { kind: "bot" as const } };
const shapes = (events: LogEvent[]) => linesOf(events).map((line) => line.kind);

test("a day begins with its date", () => {
  expect(shapes([says(1), says(2), says(3, { at: "2026-03-03T12:00:00Z" })])).toEqual([
    "day",
    "message",
    "message",
    "day",
    "message",
  ]);
});

test("a speaker who goes on is not named again, unless after a pause or an interruption", () => {
  const later = says(4, { at: "2026-03-01T12:20:00Z" });
  const lines = linesOf([says(1), says(2), says(3, bot), later, says(5, { at: "2026-03-01T12:40:00Z" })]);
  expect(lines.flatMap((line) => (line.kind === "message" ? [line.continues] : []))).toEqual([
    false,
    true,
    false,
    false,
    false,
  ]);
});

test("what the bot read stands with its answer and not as a line of its own", () => {
  const evidenced: LogEvent = {
    type: "answer.evidenced",
    seq: 3,
    at: "2026-03-01T12:00:03Z",
    actor: { kind: "bot" },
    reply_to: 1,
    draft_id: "d1",
    provider: "builtin",
    model: "retrieval",
    knowledge_version: 1,
    passages: [],
    prompt_hash: "",
    tokens: 0,
    cost: 0,
    latency_ms: 12,
    answered: true,
  };
  const lines = linesOf([says(1), says(2, { ...bot, draft_id: "d1" }), evidenced]);
  expect(lines.map((line) => line.kind)).toEqual(["day", "message", "message"]);
  expect(lines.at(-1)).toMatchObject({ evidence: { latency_ms: 12 } });
});

test("what became of a mail stands where it happened", () => {
  const mail = { type: "mail.failed", seq: 2, at: says(2).at, actor: { kind: "system" }, purpose: "team", reason: "refused", detail: "550" } as const;
  expect(shapes([says(1), mail, says(3, { ...bot })])).toEqual(["day", "message", "mail", "message"]);
});

test("of what stands before the part that is here nothing is shown, nor of what was brought before it", () => {
  const opened = { type: "session.closed", seq: 2, at: says(2).at, actor: bot.actor, reason: "idle", epoch: 1, from: "bot_active", to: "closed" } as const;
  const brought = { ...says(9, { at: says(1).at }), session_name: "other" };
  expect(linesOf([opened, says(5), says(6)], [brought], 5).map(({ key }) => key)).toEqual(["day seq 5", "seq 5", "seq 6"]);
  expect(linesOf([opened, says(5)], [brought]).map(({ kind }) => kind)).toContain("part");
});
