import { expect, test } from "vitest";
import { chosen, noFilters, queryOf } from "./filters";

const NOW = 1_800_000_012_345;

test("nothing chosen asks for everything", () => {
  expect(queryOf(noFilters(), NOW)).toEqual({});
  expect(chosen(noFilters())).toEqual([]);
});

test("each choice asks as the server takes it, the same within a minute", () => {
  const filters = { agent: "mine", customer: "old", began: "week", sort: "oldest", tag: "tag_refund" };
  const asked = { agent: "mine", customer_type: "old", sort: "oldest", tag: "tag_refund", time_start: "1799395200" };
  expect(queryOf(filters, NOW)).toEqual(asked);
  expect(queryOf(filters, NOW + 40_000)).toEqual(asked);
  expect(chosen(filters).map(([filter]) => filter)).toEqual(["agent", "customer", "began", "sort", "tag"]);
});
