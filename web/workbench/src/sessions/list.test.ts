import type { ListedSession, SessionSummary } from "@kefu/api";
import { expect, test } from "vitest";
import { belongs, between, type Held, held, levelOf, mentions, neighbour, offerOf, unreadOf } from "./list";
import { countsOf, ordered, previewOf, recounted, upsert } from "./list";
import example from "./queue-order.json";

const NOW = 1_800_000_000_000;

function session(name: string, over: Partial<SessionSummary> = {}): SessionSummary {
  return {
    session_name: name,
    shop: "demo",
    status: "bot_active",
    seq: 1,
    epoch: 0,
    locale: "en",
    user_profile: { nickname: name, vip: false, language: "en" },
    priority: {
      level: "normal",
      is_vip: false,
      wait_time_seconds: 0,
      is_timeout: false,
      is_repeat: false,
      urgent_keywords: [],
      reminded_minutes: 0,
    },
    last_message_preview: null,
    escalation: null,
    assigned_agent: null,
    mail_status: null,
    assigned_until: null,
    created_at: 0,
    updated_at: 0,
    message_count: 0,
    visitor_message_count: 0,
    tags: [],
    rating: null,
    ...over,
  };
}

function waiting(name: string, seconds: number, over: Partial<SessionSummary> = {}): Held {
  const escalation = { reason: "manual", trigger_at: 0, waiting_seconds: seconds };
  return held(session(name, { status: "pending_manual", escalation, ...over }), NOW);
}

function high(name: string, seconds: number): Held {
  return waiting(name, seconds, { priority: { ...session(name).priority, level: "high" } });
}

const names = (sessions: readonly Held[]) => sessions.map((each) => each.session_name);

test("older news does not overwrite newer", () => {
  const pool = new Map<string, Held>();
  expect(upsert(pool, held(session("a", { seq: 5, message_count: 3 }), NOW))).toBe(true);
  expect(upsert(pool, held(session("a", { seq: 4, message_count: 2 }), NOW))).toBe(false);
  expect(upsert(pool, held(session("a", { seq: 5, message_count: 4 }), NOW))).toBe(true);
  expect(pool.get("a")?.message_count).toBe(4);
});

test("the wait is counted from when it was heard", () => {
  expect(waiting("a", 42).waitingSince).toBe(NOW - 42_000);
  expect(held(session("b"), NOW).waitingSince).toBeNull();
});

test("the queue stands as the server has it", () => {
  const queue = example.map(({ name, vip, waited, level }) => {
    // The server tells of an overdue session what was true when it last changed.
    const told = waited > 300 || vip ? "normal" : (level as SessionSummary["priority"]["level"]);
    const user_profile = { nickname: name, vip, language: "en" };
    return waiting(name, waited, { user_profile, priority: { ...session(name).priority, level: told } });
  });
  expect(names(ordered(queue.toReversed(), "waiting", NOW))).toEqual(example.map(({ name }) => name));
  expect(queue.map((each) => levelOf(each, NOW))).toEqual(example.map(({ level }) => level));
});

test("an offer stands while the session waits", () => {
  const assigned_agent = { id: "agent_1", name: "Mei" };
  const offered = waiting("a", 5, { assigned_agent, assigned_until: NOW / 1000 + 42 });
  expect(offerOf(offered, NOW)).toEqual({ agent: assigned_agent, left: 42_000 });
  expect(offerOf(offered, NOW + 60_000)?.left).toBe(0);
  expect(offerOf({ ...offered, status: "manual_live" }, NOW)).toBeNull();
  expect(offerOf(waiting("b", 5), NOW)).toBeNull();
});

test("the queue puts the urgent first and then the longest wait", () => {
  const queue = [waiting("new", 5), high("complaint", 10), waiting("old", 100), waiting("overdue", 301)];
  const vip = waiting("vip", 1, { user_profile: { nickname: "vip", vip: true, language: "en" } });
  expect(names(ordered([...queue, vip], "waiting", NOW))).toEqual(["vip", "overdue", "complaint", "old", "new"]);
});

test("waiting long enough makes anybody urgent without news from the server", () => {
  expect(levelOf(waiting("a", 200), NOW)).toBe("normal");
  expect(levelOf(waiting("a", 200), NOW + 101_000)).toBe("urgent");
});

test("the other lists put the latest activity first", () => {
  const list = [held(session("a", { updated_at: 1 }), NOW), held(session("b", { updated_at: 2 }), NOW)];
  expect(names(ordered(list, "all", NOW))).toEqual(["b", "a"]);
});

test("each tab holds its own", () => {
  const mine = session("m", { status: "manual_live", assigned_agent: { id: "7", name: "Lena" } });
  expect(belongs(mine, "mine", "7")).toBe(true);
  expect(belongs(mine, "mine", "8")).toBe(false);
  expect(belongs(mine, "waiting", "7")).toBe(false);
  expect(belongs(mine, "all", "8")).toBe(true);
  expect(belongs(session("b"), "bot", "7")).toBe(true);
});

test("search looks at names and the last message, in any script and case", () => {
  const preview = { role: "user" as const, content: "我要退款", timestamp: 1 };
  const found = session("s1", { user_profile: { nickname: "Anna", vip: false, language: "en" }, last_message_preview: preview });
  for (const keyword of ["ann", "退款", "S1", "  "]) expect(mentions(found, keyword), keyword).toBe(true);
  expect(mentions(found, "bob")).toBe(false);
});

test("counts follow a session from tab to tab", () => {
  const statuses = { bot_active: 2, pending_manual: 1, manual_live: 4, after_hours_email: 0, closed: 0 };
  const counts = countsOf({ counts: statuses, mine: 3, unassigned: 1 });
  expect(counts).toEqual({ waiting: 1, unassigned: 1, mine: 3, later: 0, bot: 2, closed: 0, all: 7 });
  const waits = session("a", { status: "pending_manual" });
  const mine = session("a", { status: "manual_live", assigned_agent: { id: "7", name: "Lena" } });
  expect(recounted(counts, waits, mine, "7")).toEqual({ ...counts, waiting: 0, unassigned: 0, mine: 4 });
  expect(recounted(counts, waits, mine, "8")).toEqual({ ...counts, waiting: 0, unassigned: 0 });
  expect(recounted(counts, mine, null, "7")).toEqual({ ...counts, mine: 2, all: 6 });
  expect(recounted(counts, waits, waits, "7")).toEqual(counts);
});

test("who left an address first stands first, as the server pages them", () => {
  const later = [1, 3, 2].map((at) => held(session(`s${at}`, { status: "after_hours_email", updated_at: at }), NOW));
  expect(names(ordered(later, "later", NOW))).toEqual(["s1", "s2", "s3"]);
});

test("a preview shows the bot's words without their Markdown, and the customer's as they are", () => {
  const said = (role: "assistant" | "user", content: string) =>
    previewOf(session("a", { last_message_preview: { role, content, timestamp: 1 } }));
  expect(said("assistant", "Expect **15 % less**, see [Range](/articles/1)")).toBe("Expect 15 % less, see Range");
  expect(said("user", "5 * 3 = 15 *")).toBe("5 * 3 = 15 *");
});

function listed(name: string, written: number, unread: number, over: Partial<SessionSummary> = {}): ListedSession {
  return { ...session(name, { status: "pending_manual", visitor_message_count: written, ...over }), unread };
}

test("unread is what a customer wrote to us that we have not read", () => {
  expect(unreadOf(held(listed("p", 5, 2), NOW), "7")).toBe(2);
  expect(unreadOf(held(listed("p", 5, 2, { status: "bot_active" }), NOW), "7")).toBe(0);
  const mine = { status: "manual_live", assigned_agent: { id: "7", name: "Lena" } } as const;
  expect(unreadOf(held(listed("m", 5, 2, mine), NOW), "7")).toBe(2);
  expect(unreadOf(held(listed("m", 5, 2, mine), NOW), "8")).toBe(0);
});

test("news that goes to everybody raises what is unread and keeps what was read", () => {
  const pool = new Map<string, Held>();
  const news = (seq: number, written: number) =>
    upsert(pool, held(session("p", { status: "pending_manual", seq, visitor_message_count: written }), NOW));
  upsert(pool, held(listed("p", 5, 1), NOW));
  news(2, 7);
  expect(unreadOf(pool.get("p")!, "7")).toBe(3);
  upsert(pool, held(listed("p", 7, 7, { seq: 3 }), NOW));
  expect(unreadOf(pool.get("p")!, "7")).toBe(3);
});

test("of a session never heard of, only its first words are known to be unread", () => {
  const pool = new Map<string, Held>();
  upsert(pool, held(session("old", { status: "pending_manual", visitor_message_count: 3 }), NOW));
  expect(unreadOf(pool.get("old")!, "7")).toBe(0);
  upsert(pool, held(session("new"), NOW));
  upsert(pool, held(session("new", { status: "pending_manual", seq: 2, visitor_message_count: 1 }), NOW));
  expect(unreadOf(pool.get("new")!, "7")).toBe(1);
});

test("moving through the list stops at its ends", () => {
  const list = [waiting("a", 3), waiting("b", 2), waiting("c", 1)];
  expect(neighbour(list, "a", 1)?.session_name).toBe("b");
  expect(neighbour(list, "c", 1)).toBeUndefined();
  expect(neighbour(list, undefined, 1)?.session_name).toBe("a");
  expect(neighbour(list, "gone", -1)?.session_name).toBe("c");
});

test("a range goes either way, both ends included; where its beginning left the list it is its end alone", () => {
  const shown = ["a", "b", "c", "d"].map((session_name) => ({ session_name }));
  expect(between(shown, "b", "d")).toEqual(["b", "c", "d"]);
  expect(between(shown, "c", "a")).toEqual(["a", "b", "c"]);
  expect(between(shown, "gone", "c")).toEqual(["c"]);
});
