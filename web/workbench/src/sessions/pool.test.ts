import type { SessionSummary } from "@kefu/api";
import { expect, test } from "vitest";
import { createPool } from "./pool";

function session(name: string, seq: number, status: SessionSummary["status"] = "bot_active"): SessionSummary {
  return { session_name: name, seq, status, escalation: null, visitor_message_count: 4 } as SessionSummary;
}

test("live news of a known session moves the counts, a page does not", () => {
  const pool = createPool({ value: "7" });
  pool.receive(session("a", 1), false);
  pool.counts.value = { ...pool.counts.value, bot: 1 };
  pool.receive(session("a", 2, "pending_manual"), true);
  expect(pool.counts.value).toMatchObject({ bot: 0, waiting: 1 });
  pool.receive(session("a", 1), true);
  expect(pool.counts.value).toMatchObject({ bot: 0, waiting: 1 });
});

test("after a reconnect only what was heard of again is kept", () => {
  const pool = createPool({ value: "7" });
  for (const name of ["kept by a page", "kept by news", "gone"]) pool.receive(session(name, 1), false);
  pool.mark();
  pool.receive(session("kept by a page", 1), false);
  pool.receive(session("kept by news", 2), true);
  pool.sweep();
  expect([...pool.sessions.value.keys()]).toEqual(["kept by a page", "kept by news"]);
});

test("a read mark moves forward only, and for what is known", () => {
  const pool = createPool({ value: "7" });
  pool.receive(session("a", 1), false);
  for (const count of [2, 4, 3]) pool.read("a", count);
  pool.read("b", 1);
  expect(pool.sessions.value.get("a")?.readCount).toBe(4);
  expect(pool.sessions.value.has("b")).toBe(false);
});
