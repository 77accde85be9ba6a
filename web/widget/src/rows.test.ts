import { type Brought, emptyConversation, fold, type Frame, type LogEvent, type Source, withFailed, withPending } from "@kefu/api";
import { describe, expect, it } from "vitest";
import { type Row, rows } from "./rows";

const noon = "2025-06-01T12:00:00";

function event(given: Partial<LogEvent> & Pick<LogEvent, "type" | "seq">): LogEvent {
  return { at: noon, actor: { kind: "visitor" }, ...given } as LogEvent;
}

function said(seq: number, role: "user" | "assistant" | "agent" | "system", more: Partial<LogEvent> = {}): LogEvent {
  return event({ type: "message.posted", seq, role, content: `text ${seq}`, ...more } as LogEvent);
}

function show(...frames: Frame[]): Row[] {
  return rows(frames.reduce(fold, emptyConversation()));
}

const kinds = (list: Row[]) => list.map((row) => (row.kind === "message" ? row.side : row.kind));

describe("what there is to see", () => {
  it("puts a line before each new day and between the messages for each move", () => {
    const moved = event({ type: "session.escalated", seq: 3, from: "bot_active", to: "pending_manual", epoch: 1 } as LogEvent);
    const list = show(said(2, "user"), moved, said(4, "system"), said(5, "agent", { at: "2025-06-02T09:00:00" }));
    expect(kinds(list)).toEqual(["day", "own", "line", "line", "day", "agent"]);
  });

  it("puts a line before what came from another conversation, and where this one goes on", () => {
    const own = [said(2, "user"), said(3, "agent", { at: "2025-06-01T12:30:00" })].reduce(fold, emptyConversation());
    const brought = { ...said(2, "user", { at: "2025-06-01T12:10:00" }), session_name: "other" } as Brought;
    const list = rows(own, [brought]);
    expect(kinds(list)).toEqual(["day", "own", "part", "own", "part", "agent"]);
    expect(list.filter((row) => row.kind === "part").map(({ isOwn }) => isOwn)).toEqual([false, true]);
    expect(new Set(list.map(({ key }) => key)).size).toBe(list.length);
  });

  it("groups neighbours from the same sender", () => {
    const ann = { kind: "agent", name: "Ann" } as const;
    const bo = { kind: "agent", name: "Bo" } as const;
    const list = show(said(2, "agent", { actor: ann }), said(3, "agent", { actor: ann }), said(4, "agent", { actor: bo }));
    expect(list.slice(1)).toMatchObject([{ first: true, last: false }, { first: false, last: true }, { first: true, last: true }]);
  });

  it("keeps a bubble in place from pending to stored and from draft to answer", () => {
    const waiting = rows(withPending(emptyConversation(), { client_msg_id: "c1", content: "Hi", role: "user" }));
    expect(waiting).toMatchObject([{ key: "c:c1", state: "sending" }]);
    const asked = said(2, "user", { client_msg_id: "c1" });
    expect(show(asked)[1]).toMatchObject({ key: "c:c1", state: "stored" });
    const delta: Frame = { type: "answer.delta", draft_id: "d1", reply_to: 2, offset: 0, text: "Hel" };
    expect(show(asked, delta).at(-1)).toMatchObject({ key: "d:d1", state: "streaming", content: "Hel" });
    expect(show(asked, delta, said(3, "assistant", { draft_id: "d1", reply_to: 2 } as LogEvent)).at(-1)).toMatchObject({ key: "d:d1", state: "stored" });
  });

  it("marks own messages that an agent has read, and no others", () => {
    const mark: Frame = { type: "read", actor: { kind: "agent" }, seq: 3 };
    const own: Frame = { type: "read", actor: { kind: "visitor" }, seq: 9 };
    const list = show(said(2, "user"), said(3, "agent"), said(4, "user"), mark, own);
    expect(list.map((row) => row.kind === "message" && row.read)).toEqual([false, true, false, false]);
  });

  it("shows what failed, what is not known, and each source once", () => {
    const failed = withFailed(withPending(emptyConversation(), { client_msg_id: "c1", content: "Hi", role: "user" }), "c1");
    expect(rows(failed)).toMatchObject([{ state: "failed", clientMsgId: "c1" }]);
    const source = { article_id: "a", passage_id: "p", version: 1, title: "T", url: "/articles/a", excerpt: "", score: 1 } satisfies Source;
    const sources = [source, { ...source, passage_id: "q" }];
    const [, answer] = show(said(2, "assistant", { answered: false, sources } as LogEvent));
    expect(answer).toMatchObject({ unanswered: true, sources: [{ passage_id: "q" }] });
  });
});
