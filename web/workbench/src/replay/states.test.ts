import type { LogEvent } from "@kefu/api";
import { expect, test } from "vitest";
import folded from "./folded.json";
import { type State, statesOf, waitsOf } from "./states";

/** As the server's row has it. */
function rowOf(state: State) {
  return {
    status: state.status,
    epoch: state.epoch,
    agent_id: state.agent?.id ?? null,
    agent_name: state.agent?.name ?? null,
    assigned_until: state.offeredUntil,
    episode: state.episode,
    nickname: state.nickname,
    escalation_reason: state.reason,
    escalated_at: state.escalatedAt,
    message_count: state.messages,
    ai_fail_count: state.failures,
    tags: state.tags,
    rating: state.rating,
    mail_status: state.mail,
  };
}

const events = folded.map(([event]) => event as LogEvent);

test("the state at any event is what the server folds up to it", () => {
  const states = statesOf(events);
  for (const [index, [, row]] of folded.entries()) expect(rowOf(states[index]!), events[index]!.type).toEqual(row);
});

test("a wait begins when a person is asked for and ends with who comes, or with what is known", () => {
  const at = (seq: number, minute: number) => ({ seq, at: `2026-03-01T12:0${minute}:00Z`, actor: { kind: "system" }, epoch: 1 });
  const asks = { type: "session.escalated", from: "bot_active", to: "pending_manual", reason: "manual" };
  const log = [
    { ...at(1, 0), type: "session.opened", nickname: "" },
    { ...at(2, 1), ...asks },
    { ...at(3, 2), type: "message.posted", role: "user", content: "?" },
    { ...at(4, 5), type: "session.taken_over", from: "pending_manual", to: "manual_live", agent: { id: "a", name: "Mei" } },
    { ...at(5, 6), type: "session.released", from: "manual_live", to: "bot_active" },
    { ...at(6, 7), ...asks },
    { ...at(7, 9), type: "message.posted", role: "user", content: "??" },
  ] as unknown as LogEvent[];
  expect(waitsOf(log, statesOf(log))).toEqual([
    { from: 1, to: 3, ms: 4 * 60_000 },
    { from: 5, to: 6, ms: 2 * 60_000 },
  ]);
});
