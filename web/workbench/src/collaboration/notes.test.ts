import type { LogEvent } from "@kefu/api";
import { expect, test } from "vitest";
import { notesOf, partsOf } from "./notes";
import { isTeamLine } from "./teamLines";

const lena = { kind: "agent", id: "a1", name: "Lena" } as const;
const boss = { kind: "agent", id: "a2", name: "Boss" } as const;
const wang = { id: "a3", username: "wang", name: "王芳" };
const at = "2026-03-01T12:00:00Z";

const written = (seq: number, note_id: string, content: string, type: "note.added" | "note.edited" = "note.added") =>
  ({ type, seq, at, actor: type === "note.added" ? lena : boss, note_id, content, mentions: [] }) satisfies LogEvent;

test("a note is what was last written of it, by whom it was begun, with what it said before", () => {
  const gone: LogEvent = { type: "note.removed", seq: 5, at, actor: lena, note_id: "n2" };
  const events = [written(2, "n1", "Refund"), written(3, "n2", "Spam?"), written(4, "n1", "Battery", "note.edited"), gone];
  const [note, ...others] = notesOf(events);
  expect(others).toEqual([]);
  expect(note).toMatchObject({ id: "n1", author: lena, content: "Battery" });
  expect(note?.versions.map(({ content }) => content)).toEqual(["Battery", "Refund"]);
  expect(notesOf([...events, written(6, "n3", "Newest")]).map(({ id }) => id)).toEqual(["n3", "n1"]);
});

test("who is named in a note stands out", () => {
  const parts = partsOf({ content: "@Wang请看 (a+b)", mentions: [wang, { ...wang, username: "a+b" }] });
  expect(parts).toEqual([
    { text: "@Wang", names: true },
    { text: "请看 (a+b)", names: false },
  ]);
});

test("an edit is no line of its own, and neither is an answer that the move says", () => {
  const accepted: LogEvent = { type: "transfer.accepted", seq: 4, at, actor: lena, request_id: "t1" };
  const events = [written(2, "n1", "A"), written(3, "n1", "B", "note.edited"), accepted];
  expect(events.map(isTeamLine)).toEqual([true, false, false]);
});
