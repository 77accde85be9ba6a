import type { LogEvent } from "@kefu/api";
import { expect, test } from "vitest";
import { axisOf, bands, nearest, strokes } from "./axis";
import type { State } from "./states";

/** Events so many seconds after the first. */
function heard(...seconds: number[]): LogEvent[] {
  const began = Date.UTC(2026, 2, 1, 12);
  return seconds.map((second, n) => ({ seq: n + 1, at: new Date(began + second * 1000).toISOString() }) as LogEvent);
}

const round = (places: readonly number[]) => places.map((place) => Number(place.toFixed(2)));

test("events stand by their time, and those of one moment apart", () => {
  expect(round(axisOf(heard(0, 10, 40, 40)).places)).toEqual([0, 0.27, 0.93, 1]);
  expect(axisOf(heard(0, 10, 40, 40)).cuts).toEqual([]);
});

test("a night does not press the talk together", () => {
  const { places, cuts } = axisOf(heard(0, 20, 40, 36_000, 36_020));
  expect(round(places)).toEqual([0, 0.23, 0.46, 0.77, 1]);
  expect(cuts.map(({ ms }) => ms)).toEqual([35_960_000]);
});

test("one event, none, and events of one moment have places too", () => {
  expect(axisOf([]).places).toEqual([]);
  expect(axisOf(heard(0)).places).toEqual([0]);
  expect(axisOf(heard(0, 0, 0)).places).toEqual([0, 0.5, 1]);
  expect(axisOf(heard(5, 0)).places).toEqual([0, 1]);
});

test("a place leads to the nearest event", () => {
  const places = [0, 0.2, 0.3, 1];
  expect([-1, 0.09, 0.11, 0.26, 0.6, 0.7, 2].map((place) => nearest(places, place))).toEqual([0, 0, 1, 2, 2, 3, 3]);
  expect(nearest([], 0.5)).toBe(0);
});

test("what is drawn is bounded, however long the log", () => {
  const many = axisOf(heard(...Array.from({ length: 50_000 }, (_, n) => n)));
  expect(strokes(many.places).split("M")).toHaveLength(1002);
});

test("a status is one bar as long as it lasts", () => {
  const states = ["bot_active", "bot_active", "pending_manual", "manual_live"].map((status) => ({ status }) as State);
  const drawn = bands({ places: [0, 0.2, 0.5, 0.9], cuts: [] }, states);
  expect(drawn.map(({ status, d }) => [status, d])).toEqual([
    ["bot_active", "M0 0H500V1H0Z"],
    ["pending_manual", "M500 0H900V1H500Z"],
    ["manual_live", "M900 0H1000V1H900Z"],
  ]);
});
