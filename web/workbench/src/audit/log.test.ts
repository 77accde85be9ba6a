// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { changesOf } from "./diff";
import { queryOf } from "./log";

const NONE = { actor: "", action: "", object: "", from: "", until: "", q: "" };

test("only what is chosen is asked for, and a day is whole", () => {
  expect(queryOf(NONE)).toEqual({});
  const { time_start, time_end, ...rest } = queryOf({ ...NONE, object: "session:a:b", from: "2026-11-27", until: "2026-11-27" });
  expect(rest).toEqual({ object_type: "session", object_id: "a:b" });
  expect(Math.round((time_end ?? 0) - (time_start ?? 0))).toBe(86_400);
});

test("a change shows every field on both sides", () => {
  expect(changesOf({ before: { name: "old", on: true }, after: { name: "new", tags: ["a"] } })).toEqual([
    { field: "name", before: "old", after: "new" },
    { field: "on", before: "true", after: null },
    { field: "tags", before: null, after: '[ "a" ]' },
  ]);
  expect(changesOf({ before: null, after: null })).toEqual([]);
});
