import { describe, expect, it, vi } from "vitest";
import type { LogEvent } from "./events";
import { allMessages, type Brought, joined } from "./joins";

function said(seq: number, minute: number): LogEvent {
  const at = `2025-06-01T08:${String(minute).padStart(2, "0")}:00.000Z`;
  return { type: "message.posted", seq, at, actor: { kind: "visitor" }, role: "user", content: `own ${seq}` };
}

function brought(session_name: string, seq: number, minute: number): Brought {
  return { ...said(seq, minute), content: `${session_name} ${seq}`, session_name } as Brought;
}

const words = (list: readonly LogEvent[]) => list.map((event) => (event.type === "message.posted" ? event.content : event.type));

describe("what is read as one conversation", () => {
  it("is in the order of time, each part in one piece", () => {
    const own = [said(2, 10), said(3, 30), said(4, 50)];
    const parts = [brought("a", 2, 1), brought("a", 3, 40), brought("b", 2, 20)];
    expect(words(joined(own, parts))).toEqual(["a 2", "a 3", "own 2", "b 2", "own 3", "own 4"]);
    expect(joined(own, [])).toEqual(own);
    expect(words(joined([], parts))).toEqual(["a 2", "a 3", "b 2"]);
  });

  it("leaves out what moved away, and has it again when it comes back", () => {
    const off = { type: "session.split_off", seq: 5, at: "2025-06-01T09:00:00.000Z", actor: { kind: "agent" }, into: "n", from_seq: 3, to_seq: 4 } as LogEvent;
    const own = [said(2, 10), said(3, 30), said(4, 50), off, said(6, 59)];
    expect(words(joined(own, []))).toEqual(["own 2", "session.split_off", "own 6"]);
    expect(words(joined(own, [brought("own", 3, 30), brought("own", 4, 50)]))).toEqual(["own 2", "own 3", "own 4", "session.split_off", "own 6"]);
  });

  it("is loaded page by page", async () => {
    const pages = [
      { data: { messages: [brought("a", 2, 1)], next_cursor: "x" } },
      { data: { messages: [brought("a", 3, 2)], next_cursor: null } },
    ];
    const request = vi.fn().mockResolvedValueOnce(pages[0]).mockResolvedValueOnce(pages[1]);
    expect(words(await allMessages(request as never, "/m", true))).toEqual(["a 2", "a 3"]);
    expect(request.mock.calls).toEqual([["/m", { query: { after: "", others: true } }], ["/m", { query: { after: "x", others: true } }]]);
  });
});
