import { expect, test } from "vitest";
import { effectScope, nextTick, ref } from "vue";
import { PORTION, useDrawn } from "./drawn";

const line = (number: number) => ({ key: `seq ${number}` });
const upTo = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => line(from + index));

function drawing(first: number, last: number) {
  const lines = ref(upTo(first, last));
  const scope = effectScope();
  const drawn = scope.run(() => useDrawn(lines, ref(null)))!;
  const ends = () => [drawn.drawn.value[0]?.key, drawn.drawn.value.at(-1)?.key];
  return { lines, ends, ...drawn };
}

test("the end is drawn first, and more at each wish", async () => {
  const { ends, earlier, hasEarlier } = drawing(1, 90);
  expect(ends()).toEqual([`seq ${91 - PORTION}`, "seq 90"]);
  await earlier();
  expect([...ends(), hasEarlier.value]).toEqual(["seq 1", "seq 90", false]);
});

test("however far one reads, few lines are drawn, and the way back is open", async () => {
  const { drawn, ends, earlier, later } = drawing(1, 5_000);
  for (let step = 0; step < 40; step++) await earlier();
  expect(drawn.value.length).toBeLessThanOrEqual(6 * PORTION);
  const [top] = ends();
  expect(Number(top?.slice(4))).toBe(5_001 - 41 * PORTION);
  for (let step = 0; step < 40; step++) await later();
  expect(ends()[1]).toBe("seq 5000");
});

test("what is read further up stays drawn when something is new at either end", async () => {
  const { lines, ends, reach } = drawing(1, 1_000);
  reach(399);
  const before = ends();
  expect(before).toEqual(["seq 370", "seq 429"]);
  lines.value = [...upTo(-499, 1_000), line(1_001)];
  await nextTick();
  expect(ends()).toEqual(before);
});

test("what is drawn already is not drawn anew for being looked for, and the end is never far", () => {
  const { ends, reach, end } = drawing(1, 1_000);
  reach(980);
  expect(ends()).toEqual(["seq 941", "seq 1000"]);
  reach(0);
  expect(ends()[0]).toBe("seq 1");
  end();
  expect(ends()).toEqual(["seq 941", "seq 1000"]);
});
