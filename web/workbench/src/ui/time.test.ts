import { expect, test } from "vitest";
import { ago, daysAgo, stopwatch } from "./time";

test("a wait reads like a stopwatch", () => {
  expect([0, 7_400, 765_000, 10_929_000, -5].map(stopwatch)).toEqual(["0:00", "0:07", "12:45", "3:02:09", "0:00"]);
});

test("days are counted by the calendar, not by 24 hours", () => {
  const evening = new Date(2026, 2, 1, 23, 59);
  expect(daysAgo(evening, new Date(2026, 2, 2, 0, 1))).toBe(1);
  expect(daysAgo(evening, evening)).toBe(0);
});

test("what happened is some time ago", () => {
  const now = new Date(2026, 2, 2, 12, 0);
  const texts = [0, 90_000, 7_200_000, 90_000_000].map((ms) => ago(new Date(now.getTime() - ms), now, "en-GB"));
  expect(texts).toEqual(["now", "1 minute ago", "2 hours ago", "yesterday"]);
});
