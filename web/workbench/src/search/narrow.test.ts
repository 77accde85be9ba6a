import { expect, test } from "vitest";
import { chosenIn, narrowOf, queryOf } from "./narrow";

test("an address says what was chosen, and nothing else of it does", () => {
  const narrow = narrowOf({ q: "helmet", status: "closed", tag: "tag_refund", shop: ["a", "b"], other: "x" });
  expect(chosenIn(narrow)).toEqual({ status: "closed", tag: "tag_refund" });
  expect(queryOf(narrow)).toEqual({ status: "closed", tag: "tag_refund" });
});

test("days are whole and local", () => {
  const asked = queryOf(narrowOf({ customer: "vip", from: "2026-11-01", until: "2026-11-30" }));
  const [start, end] = [new Date(2026, 10, 1).getTime(), new Date(2026, 11, 1).getTime()];
  expect(asked).toEqual({ customer_type: "vip", time_start: String(start / 1000), time_end: String((end - 1) / 1000) });
  expect(queryOf(narrowOf({ from: "yesterday" }))).toEqual({});
});
