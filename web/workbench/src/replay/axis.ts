import type { LogEvent } from "@kefu/api";
import { type State, timeOf } from "./states";

/** A stretch in which nothing happened for so long that it is not drawn to scale. */
export interface Cut {
  from: number;
  to: number;
  ms: number;
}

/** Where the events stand on a line from 0 to 1: by their time, but for the cuts. */
export interface Axis {
  places: readonly number[];
  cuts: readonly Cut[];
}

/** What is said within a minute of each other belongs together. */
const TALK_MS = 60_000;
const SHORTEST_CUT_MS = 30_000;
const LONGEST_CUT_MS = 300_000;
/** So much of the line is dealt out evenly: events of one moment stand apart and can be hit. */
const EVEN = 0.2;

export function axisOf(events: readonly LogEvent[]): Axis {
  const gaps = gapsOf(events);
  const cut = cutOf(gaps);
  const drawn = gaps.reduce((sum, gap) => sum + Math.min(gap, cut), 0);
  const steps = Math.max(1, events.length - 1);
  const share = drawn ? EVEN : 1;
  let place = 0;
  const places = gaps.map((gap, index) => {
    if (index) place += share / steps + (drawn && ((1 - share) * Math.min(gap, cut)) / drawn);
    return Math.min(1, place);
  });
  const cuts = gaps.flatMap((ms, index) => (ms > cut ? [{ from: at(places, index - 1), to: at(places, index), ms }] : []));
  return { places, cuts };
}

/** The time from each event's predecessor to it; clocks of two servers may disagree, but nothing runs backwards. */
export function gapsOf(events: readonly LogEvent[]): number[] {
  return events.map((event, index) => (index ? Math.max(0, timeOf(event) - timeOf(events[index - 1])) : 0));
}

/** From here on a gap is cut: half of the time that was talked. */
function cutOf(gaps: readonly number[]): number {
  const talked = gaps.reduce((sum, gap) => sum + (gap <= TALK_MS ? gap : 0), 0);
  return Math.min(LONGEST_CUT_MS, Math.max(SHORTEST_CUT_MS, talked / 2));
}

export function at(places: readonly number[], index: number): number {
  return places[index] ?? 1;
}

/** The index of the event that is nearest to the place. */
export function nearest(places: readonly number[], place: number): number {
  let low = 0;
  let high = places.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at(places, middle) < place) low = middle + 1;
    else high = middle;
  }
  return low > 0 && place - at(places, low - 1) < at(places, low) - place ? low - 1 : low;
}

/** The line is drawn on so many columns: what falls into the same one is drawn once, however long the log. */
export const COLUMNS = 1000;

/** Upright strokes at the places, as the `d` of an SVG path. */
export function strokes(places: readonly number[]): string {
  const columns = new Set(places.map((place) => Math.round(place * COLUMNS)));
  return [...columns].map((column) => `M${column} 0V1`).join("");
}

/** Where the session stood so, as bars of a path: one path for each status, whatever happened in between. */
export function bands({ places }: Axis, states: readonly State[]): { status: State["status"]; d: string }[] {
  const paths = new Map<State["status"], string>();
  let from = 0;
  states.forEach(({ status }, index) => {
    const isLast = index === states.length - 1;
    if (!isLast && states[index + 1]?.status === status) return;
    const to = isLast ? COLUMNS : Math.round(at(places, index + 1) * COLUMNS);
    if (to > from || isLast) paths.set(status, `${paths.get(status) ?? ""}M${from} 0H${to}V1H${from}Z`);
    from = to;
  });
  return [...paths].map(([status, d]) => ({ status, d }));
}
