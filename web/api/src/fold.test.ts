import { describe, expect, it } from "vitest";
import type { Frame, LogEvent, SessionStatus } from "./events";
import {
  askedOfBot,
  type Conversation,
  emptyConversation,
  fold,
  messages,
  runningDrafts,
  unreadByVisitor,
  withDisconnect,
  withFailed,
  withoutPending,
  withPending,
} from "./fold";

const at = "2025-06-01T08:00:00Z";
const visitor = { kind: "visitor" } as const;
const bot = { kind: "bot" } as const;
const ann = { id: "a1", name: "Ann" };
const annTyping = { kind: "agent", ...ann } as const;

function said(seq: number, content: string, client_msg_id = `m${seq}`): LogEvent {
  return { type: "message.posted", seq, at, actor: visitor, role: "user", content, client_msg_id };
}

function answered(seq: number, reply_to: number, draft_id = `d${reply_to}`): LogEvent {
  return { type: "message.posted", seq, at, actor: bot, role: "assistant", content: "Hello", reply_to, draft_id };
}

function escalated(seq: number, epoch = 0): LogEvent {
  const move = { from: "bot_active", to: "pending_manual" } as const;
  return { type: "session.escalated", seq, at, actor: visitor, reason: "manual", epoch, ...move };
}

function takenOver(seq: number, agent = ann): LogEvent {
  const move = { from: "pending_manual", to: "manual_live" } as const;
  return { type: "session.taken_over", seq, at, actor: annTyping, agent, epoch: 1, ...move };
}

function ended(seq: number, type: "session.released" | "session.closed", to: SessionStatus): LogEvent {
  return { type, seq, at, actor: annTyping, reason: null, epoch: 2, from: "manual_live", to };
}

function delta(reply_to: number, offset: number, text: string): Frame {
  return { type: "answer.delta", draft_id: `d${reply_to}`, reply_to, offset, text };
}

const opened: LogEvent = {
  type: "session.opened", seq: 1, at, actor: visitor, shop: "demo", locale: "en", conversation_id: "c", nickname: "Guest",
};

const talk: LogEvent[] = [
  opened,
  said(2, "Hi"),
  answered(3, 2),
  said(4, "A person, please"),
  escalated(5),
  takenOver(6),
  { type: "message.posted", seq: 7, at, actor: annTyping, role: "agent", content: "Ann here" },
  ended(8, "session.released", "bot_active"),
  said(9, "Thanks"),
  answered(10, 9),
  ended(11, "session.closed", "closed"),
  { type: "session.reopened", seq: 12, at, actor: visitor, from: "closed", to: "bot_active", epoch: 2 },
  said(13, "One more thing"),
];

function all(frames: readonly Frame[], from: Conversation = emptyConversation()): Conversation {
  return frames.reduce(fold, from);
}

/** Mulberry32: the same interleavings in every run. */
function dice(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function shuffledWithRepeats(frames: readonly Frame[], random: () => number): Frame[] {
  const repeats = frames.filter(() => random() < 0.5);
  return [...frames, ...repeats].map((frame) => ({ frame, key: random() })).toSorted((a, b) => a.key - b.key).map(({ frame }) => frame);
}

describe("the log", () => {
  it("folds to the same conversation in any order and with any repeats", () => {
    const random = dice(7);
    const expected = all(talk);
    for (let round = 0; round < 300; round += 1) expect(all(shuffledWithRepeats(talk, random))).toEqual(expected);
  });

  it("leaves no draft behind, however late its deltas come", () => {
    const random = dice(11);
    const drafts = [delta(2, 0, "Hel"), delta(2, 3, "lo"), delta(9, 0, "Hello"), delta(4, 0, "too late")];
    for (let round = 0; round < 300; round += 1) {
      const state = all(shuffledWithRepeats([...talk, ...drafts], random));
      expect(state.drafts).toEqual({});
      expect(state.events).toEqual(talk);
    }
  });

  it("does not change on a replay from the beginning", () => {
    const state = all(talk);
    expect(all(talk, state)).toBe(state);
  });

  it("resumes at the highest seq, over the gaps of internal events", () => {
    expect(all([opened, said(5, "x")]).cursor).toBe(5);
  });

  it("knows who serves after a transfer", () => {
    const move = { from: "manual_live", to: "manual_live", epoch: 2, agent: { id: "b", name: "Bo" } } as const;
    const transferred: LogEvent = { type: "session.transferred", seq: 8, at, actor: annTyping, ...move };
    const state = all([...talk.slice(0, 7), transferred]);
    expect(state).toMatchObject({ status: "manual_live", epoch: 2, agent: { id: "b", name: "Bo" } });
  });

  it("knows status, epoch and agent from the latest move", () => {
    const live = all(talk.slice(0, 6));
    expect(live).toMatchObject({ status: "manual_live", epoch: 1, agent: ann });
    expect(all(talk.slice(0, 8))).toMatchObject({ status: "bot_active", agent: null });
    expect(fold(live, takenOver(9, { id: "b", name: "Bo" })).agent).toEqual({ id: "b", name: "Bo" });
  });

  it("says which message the bot looks into, if any: none that was written to people or before a move", () => {
    const asked = (...log: LogEvent[]) => askedOfBot(all(log))?.seq ?? 0;
    const looked = talk.map((_, index) => asked(...talk.slice(0, index + 1)));
    expect(looked).toEqual([0, 2, 0, 4, 0, 0, 0, 0, 9, 0, 0, 0, 13]);
    const [released, closed] = [ended(8, "session.released", "bot_active"), ended(8, "session.closed", "closed")];
    const back = { from: "pending_manual", to: "bot_active", epoch: 0 } as const;
    const returned: LogEvent = { type: "session.returned", seq: 4, at, actor: visitor, ...back };
    const notice: LogEvent = { type: "message.posted", seq: 5, at, actor: { kind: "system" }, role: "system", content: "We are busy" };
    expect([asked(opened, takenOver(6), said(7, "Thanks"), released), asked(opened, said(7, "Thanks"), closed)]).toEqual([0, 0]);
    expect([asked(opened, said(2, "Hi"), escalated(3), returned), asked(opened, said(4, "Hi"), notice)]).toEqual([0, 4]);
  });

  it("ignores what a newer server says and it does not know, but keeps its place", () => {
    const unknown = { type: "session.rated", seq: 14, at, actor: visitor, stars: 5 } as unknown as Frame;
    expect(fold(all(talk), unknown)).toMatchObject({ cursor: 14, status: "bot_active" });
    expect(fold(all(talk), { type: "presence" } as unknown as Frame)).toEqual(all(talk));
  });
});

describe("own messages", () => {
  const mine = { client_msg_id: "m2", content: "Hi", role: "user" } as const;

  it("show at once and give way to the stored one", () => {
    const waiting = withPending(fold(emptyConversation(), opened), mine);
    expect(waiting.pending).toEqual([{ ...mine, failed: false }]);
    const stored = fold(waiting, said(2, "Hi"));
    expect(stored.pending).toEqual([]);
    expect(messages(stored).map((message) => message.content)).toEqual(["Hi"]);
  });

  it("are not shown again once stored", () => {
    const stored = fold(emptyConversation(), said(2, "Hi"));
    expect(withPending(stored, mine)).toBe(stored);
  });

  it("can fail, be tried again and be given up", () => {
    const failed = withFailed(withPending(emptyConversation(), mine), "m2");
    expect(failed.pending[0]?.failed).toBe(true);
    expect(withPending(failed, mine).pending).toEqual([{ ...mine, failed: false }]);
    expect(withFailed(failed, "m2", "STALE_VIEW").pending[0]).toMatchObject({ failed: true, code: "STALE_VIEW" });
    expect(withoutPending(failed, "m2").pending).toEqual([]);
  });
});

describe("a draft", () => {
  const asked = all([opened, said(2, "Hi")]);

  it("grows by offset, counts code points, and takes a repeat or the whole text at once", () => {
    const half = all([delta(2, 0, "🚲 é"), delta(2, 3, "lan"), delta(2, 3, "lan")], asked);
    expect(runningDrafts(half)).toMatchObject([{ text: "🚲 élan" }]);
    expect(runningDrafts(fold(half, delta(2, 0, "🚲 élan vital")))).toMatchObject([{ text: "🚲 élan vital" }]);
  });

  it("waits for the message when a delta was lost", () => {
    expect(runningDrafts(all([delta(2, 0, "Hel"), delta(2, 9, "gap")], asked))).toMatchObject([{ text: "Hel" }]);
  });

  it("is replaced by its message, and ends when dropped", () => {
    expect(runningDrafts(all([delta(2, 0, "Hel"), answered(3, 2)], asked))).toEqual([]);
    const dropped = all([delta(2, 0, "Hel"), { type: "answer.dropped", draft_id: "d2" }, delta(2, 3, "lo")], asked);
    expect(runningDrafts(dropped)).toEqual([]);
  });

  it("does not outlive a takeover", () => {
    expect(runningDrafts(all([delta(2, 0, "Hel"), takenOver(3), delta(2, 3, "lo")], asked))).toEqual([]);
  });

  it("survives a reconnect only if the server repeats it", () => {
    const cut = withDisconnect(fold(asked, delta(2, 0, "Hel")));
    const back: Frame = { type: "stream.ready", seq: 2, status: "bot_active", epoch: 0 };
    expect(runningDrafts(cut)).toMatchObject([{ text: "Hel", stale: true }]);
    expect(runningDrafts(fold(cut, back))).toEqual([]);
    expect(runningDrafts(all([delta(2, 0, "Hello"), back], cut))).toMatchObject([{ text: "Hello", stale: false }]);
  });
});

describe("what was read", () => {
  const read = (kind: "visitor" | "agent", seq: number): Frame => ({ type: "read", actor: { kind }, seq });

  it("only moves forward, and each side for itself", () => {
    const state = all([read("visitor", 3), read("agent", 7), read("visitor", 2), read("agent", 7)], all(talk));
    expect(state.read).toEqual({ visitor: 3, agent: 7 });
    expect(state.events).toEqual(talk);
    expect(state.cursor).toBe(13);
  });

  it("leaves to the visitor what others said behind it", () => {
    expect(unreadByVisitor(all(talk)).map((message) => message.seq)).toEqual([3, 7, 10]);
    expect(unreadByVisitor(all([read("visitor", 7)], all(talk))).map((message) => message.seq)).toEqual([10]);
    expect(unreadByVisitor(all([read("visitor", 13), read("agent", 1)], all(talk)))).toEqual([]);
  });

  it("outlives a broken line, and who is there does not", () => {
    const there = { viewers: [ann], visitorOnline: true };
    const state = all([read("agent", 4), { type: "viewers", agents: [ann] }, { type: "visitor.online", online: true }]);
    expect(state).toMatchObject(there);
    expect(withDisconnect(state)).toMatchObject({ viewers: [], visitorOnline: null, read: { visitor: 0, agent: 4 } });
  });

  it("is known once the stream was ready", () => {
    const back: Frame = { type: "stream.ready", seq: 13, status: "bot_active", epoch: 2 };
    expect(all(talk).synced).toBe(false);
    expect(withDisconnect(fold(all(talk), back))).toMatchObject({ synced: true, ready: false });
  });
});

describe("the moment", () => {
  it("shows who types until they stop, speak or the line breaks", () => {
    const typing: Frame = { type: "typing", actor: annTyping, active: true };
    const state = fold(all(talk.slice(0, 6)), typing);
    expect(Object.values(state.typing)).toEqual([annTyping]);
    expect(fold(state, { ...typing, active: false }).typing).toEqual({});
    expect(fold(state, talk[6]!).typing).toEqual({});
    expect(fold(state, { type: "stream.ended", reason: "restart" })).toMatchObject({ typing: {}, ready: false });
  });

  it("shows the place in the queue only while waiting", () => {
    const place: Frame = { type: "queue.position", position: 2, waiting: 3, estimate_seconds: 240 };
    expect(fold(all(talk.slice(0, 4)), place).queue).toBeNull();
    const waiting = fold(all(talk.slice(0, 5)), place);
    expect(waiting.queue).toEqual({ position: 2, waiting: 3, estimate_seconds: 240 });
    expect(fold(waiting, takenOver(6)).queue).toBeNull();
  });

  it("believes the server's status when the stream is ready, unless it knows a later move", () => {
    const ready: Frame = { type: "stream.ready", seq: 5, status: "after_hours_email", epoch: 1 };
    expect(fold(all(talk.slice(0, 4)), ready)).toMatchObject({ status: "after_hours_email", ready: true, epoch: 1 });
    expect(fold(all(talk.slice(0, 6)), ready).status).toBe("manual_live");
  });

  it("takes evidence as history, not as a message", () => {
    const evidence: LogEvent = {
      type: "answer.evidenced", seq: 4, at, actor: bot, reply_to: 2, draft_id: "d2", provider: "builtin", model: "",
      knowledge_version: 1, passages: [], prompt_hash: "", tokens: 0, cost: 0, latency_ms: 3, answered: true,
    };
    const state = fold(all(talk.slice(0, 3)), evidence);
    expect(state.events).toContain(evidence);
    expect(messages(state)).toHaveLength(2);
  });
});
