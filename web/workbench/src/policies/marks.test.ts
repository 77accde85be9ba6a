import { expect, test } from "vitest";
import { marked } from "./marks";
import type { Hit } from "./policies";

const hit = (...spans: [number, number][]) => ({ why: { spans } }) as unknown as Hit;

test("places in the text count characters as people do, not halves of them", () => {
  const parts = marked("😀找客服 now", [hit([2, 4])]);
  expect(parts).toEqual([
    { text: "😀找", isHit: false },
    { text: "客服", isHit: true },
    { text: " now", isHit: false },
  ]);
});

test("what several policies found is marked once", () => {
  expect(marked("abcd", [hit([0, 2]), hit([1, 3])]).map((part) => part.text)).toEqual(["abc", "d"]);
  expect(marked("abcd", [{ why: {} } as unknown as Hit])).toEqual([{ text: "abcd", isHit: false }]);
});
