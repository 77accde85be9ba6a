import { expect, test } from "vitest";
import { daysBetween, grouped, isUnknown, sum, type Used } from "./figures";

const used = (day: string, model: string, cost: number): Used => ({
  shop: "default", day, provider: "openai", model, purpose: "answer", calls: 2, tokens_in: 10, tokens_out: 5, cost, unpriced: 0,
});
const USED = [used("2026-02-27", "mini", 0.25), used("2026-03-01", "mini", 0.5), used("2026-03-01", "grand", 2)];

test("days without use have their place, over the end of a month too", () => {
  expect(daysBetween("2026-02-27", "2026-03-01")).toEqual(["2026-02-27", "2026-02-28", "2026-03-01"]);
});

test("the dearest comes first", () => {
  const groups = grouped(USED, ({ model }) => model);
  expect(groups.map(({ key, sum }) => [key, sum.cost, sum.calls])).toEqual([["grand", 2, 2], ["mini", 0.75, 4]]);
});

test("a sum of nothing is nothing", () => {
  expect(sum([])).toEqual({ calls: 0, tokens_in: 0, tokens_out: 0, cost: 0, unpriced: 0 });
  expect(sum(USED).cost).toBe(2.75);
});

test("what has no price is not free", () => {
  const unknown = { ...used("2026-03-01", "own", 0), cost: null, unpriced: 2 };
  expect([isUnknown(sum([unknown])), isUnknown(sum([unknown, ...USED])), isUnknown(sum([]))]).toEqual([true, false, false]);
  expect(sum([unknown, ...USED])).toMatchObject({ cost: 2.75, unpriced: 2 });
});
