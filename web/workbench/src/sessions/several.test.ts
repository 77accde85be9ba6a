import { expect, test } from "vitest";
import { type Outcome, toEach } from "./several";

const NAMES = Array.from({ length: 45 }, (_, n) => `s${n}`);
const done = (some: readonly string[]): Outcome => ({ changed: [...some], unchanged: [], refused: {} });

test("many are done some at a time, and what each answer said is put together", async () => {
  const [sizes, heard] = [[] as number[], [] as number[]];
  const outcome = await toEach(
    NAMES,
    async (some) => {
      sizes.push(some.length);
      return { changed: some.slice(2), unchanged: some.slice(1, 2), refused: { [some[0] ?? ""]: "AGENT_FULL" } };
    },
    (count) => heard.push(count),
  );
  expect([sizes, heard]).toEqual([[20, 20, 5], [20, 40, 45]]);
  expect([outcome.changed.length, outcome.unchanged]).toEqual([39, ["s1", "s21", "s41"]]);
  expect(outcome.refused).toEqual({ s0: "AGENT_FULL", s20: "AGENT_FULL", s40: "AGENT_FULL" });
});

test("after a failure nothing more is asked, and what was not answered counts as not done", async () => {
  let asked = 0;
  const lost = async (some: readonly string[]) => {
    asked += 1;
    if (asked === 2) throw new TypeError("Failed to fetch");
    return done(some);
  };
  const outcome = await toEach(NAMES, lost, () => undefined);
  expect([asked, outcome.changed]).toEqual([2, NAMES.slice(0, 20)]);
  expect(Object.keys(outcome.refused)).toEqual(NAMES.slice(20));
});
