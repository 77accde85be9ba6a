import { expect, test } from "vitest";
import { ago, daysAgo, lasting, stopwatch } from "./time";

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

test("how long it took is said by the two largest units", () => {
  const texts = [0, 900, 7_400, 252_000, 120_000, 10_980_000, 90_000_000].map((ms) => lasting(ms, "en-GB"));
  expect(texts).toEqual(["0 secs", "1 sec", "7 secs", "4 mins 12 secs", "2 mins", "3 hrs 3 mins", "1 day 1 hr"]);
  expect(lasting(252_000, "zh-CN")).toMatch(/^4\s?分钟 12\s?秒$/);
});
