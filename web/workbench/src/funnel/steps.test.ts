import { expect, test } from "vitest";
import { isEmpty, stepsOf } from "./steps";

const NOTHING = { impressions: 0, opens: 0, sessions: 0, first_messages: 0, answered: 0, escalated: 0, rated: 0, closed: 0 };
const TOTAL = { impressions: 200, opens: 40, sessions: 60, first_messages: 50, answered: 45, escalated: 10, rated: 5, closed: 30 };
const AGREED = { ...TOTAL, sessions: 25, first_messages: 20, answered: 18, escalated: 4, rated: 2, closed: 12 };

test("up to the first word a share is of who agreed to be counted, after it of everybody", () => {
  const shares = stepsOf(TOTAL, AGREED).map(({ name, base, share, left }) => [name, base, share, left]);
  expect(shares).toEqual([
    ["impressions", null, null, 0],
    ["opens", "impressions", 0.2, 160],
    ["first_messages", "opens", 0.5, 20],
    ["answered", "first_messages", 0.9, 5],
    ["escalated", "first_messages", 0.2, 40],
    ["rated", "first_messages", 0.1, 45],
    ["closed", "sessions", 0.5, 30],
  ]);
});

test("of who did not agree it is not known whether they saw the chat", () => {
  expect(stepsOf(TOTAL, AGREED).map(({ all, agreed }) => [all, agreed])).toEqual([
    [null, 200],
    [null, 40],
    [50, 20],
    [45, 18],
    [10, 4],
    [5, 2],
    [30, 12],
  ]);
});

test("of nothing there is no share, and nobody is missing", () => {
  const nobodyAgreed = stepsOf({ ...TOTAL, impressions: 0, opens: 0 }, NOTHING);
  expect(nobodyAgreed.slice(0, 3).map(({ share, left }) => [share, left])).toEqual([[null, 0], [null, 0], [null, 0]]);
  expect([isEmpty(NOTHING), isEmpty(TOTAL), isEmpty({ ...NOTHING, sessions: 1 })]).toEqual([true, false, false]);
});

test("who opens the chat twice is nobody lost", () => {
  expect(stepsOf({ ...TOTAL, impressions: 30 }, AGREED)[1]).toMatchObject({ share: 40 / 30, left: 0 });
});
