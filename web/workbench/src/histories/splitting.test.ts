import type { Brought, LogEvent } from "@kefu/api";
import { describe, expect, it } from "vitest";
import { linesOf } from "../sessions/lines";
import { splittableIn } from "./splitting";

const at = "2025-06-01T08:00:00.000Z";
const lead = { kind: "agent", id: "a1", name: "Petra" } as const;

function said(seq: number): LogEvent {
  return { type: "message.posted", seq, at, actor: { kind: "visitor" }, role: "user", content: `text ${seq}` };
}

const off: LogEvent = { type: "session.split_off", seq: 6, at, actor: lead, into: "n", from_seq: 4, to_seq: 5 };
const gone: LogEvent = { type: "session.merged_into", seq: 7, at, actor: lead, into: "k" };
const places = (events: LogEvent[], brought: Brought[] = [], may = true) => [...splittableIn(linesOf(events, brought), events, may)];

describe("where a conversation can be divided", () => {
  it("is before any of its own messages but the first", () => {
    expect(places([said(2), said(3), said(4)])).toEqual(["seq 3", "seq 4"]);
    expect(places([said(2), said(3)], [{ ...said(9), session_name: "other" } as Brought])).toEqual(["seq 3"]);
    expect(places([said(2), said(3)], [], false)).toEqual([]);
  });

  it("is nowhere in what moved away, nor once it goes on elsewhere", () => {
    expect(places([said(2), said(3), said(4), said(5), off, said(8)])).toEqual(["seq 8"]);
    expect(places([said(2), said(3), gone])).toEqual([]);
    expect(linesOf([said(2), said(4), off]).map((line) => line.key)).toEqual(["day seq 2", "seq 2", "seq 6"]);
  });
});
