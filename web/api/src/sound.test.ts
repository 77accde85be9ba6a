import { expect, test } from "vitest";
import { isQuiet } from "./sound";

const at = (time: string) => new Date(`2026-11-27T${time}:00`);

test("quiet hours run over midnight and end on the minute", () => {
  const night = { from: "22:00", until: "08:00" };
  expect(["21:59", "22:00", "03:00", "07:59", "08:00"].map((time) => isQuiet(night, at(time)))).toEqual([false, true, true, true, false]);
});

test("without two different times nothing is quiet", () => {
  for (const hours of [{ from: "", until: "08:00" }, { from: "08:00", until: "08:00" }]) expect(isQuiet(hours, at("08:00"))).toBe(false);
  expect(isQuiet({ from: "12:00", until: "13:00" }, at("12:30"))).toBe(true);
});
