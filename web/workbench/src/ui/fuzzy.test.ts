import { expect, test } from "vitest";
import { fit } from "./fuzzy";

test("a title is found by its beginning, its middle, and its letters in order", () => {
  const scores = ["ret", "policy", "14 days", "rtp", "ptr"].map((wanted) => fit(wanted, "Return policy", "Within 14 days"));
  expect(scores).toEqual([5, 4, 3, 2, 0]);
});

test("Chinese is found by two characters, or by two that stand apart", () => {
  expect(fit("退货", "如何退货", "")).toBe(4);
  expect(fit("退程", "退货流程", "")).toBe(2);
  expect(fit("", "退货流程", "")).toBe(1);
});
