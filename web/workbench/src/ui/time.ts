/** Times for people, in the language given as a BCP 47 tag. */

/** To make one takes as long as to draw a row. */
const formats = new Map<string, Intl.DateTimeFormat>();

function format(at: Date, tag: string, options: Intl.DateTimeFormatOptions): string {
  const key = tag + JSON.stringify(options);
  const known = formats.get(key) ?? new Intl.DateTimeFormat(tag, options);
  formats.set(key, known);
  return known.format(at);
}

export function clockTime(at: Date, tag: string): string {
  return format(at, tag, { hour: "2-digit", minute: "2-digit" });
}

export function dateAndTime(at: Date, tag: string): string {
  return format(at, tag, { dateStyle: "medium", timeStyle: "short" });
}

export function longDate(at: Date, tag: string): string {
  return format(at, tag, { weekday: "long", month: "long", day: "numeric" });
}

/** For a narrow column: the time today, the date before that. */
export function briefly(at: Date, now: Date, tag: string): string {
  if (at.toDateString() === now.toDateString()) return clockTime(at, tag);
  return format(at, tag, { month: "short", day: "numeric" });
}

/** 0:07, 12:45, 3:02:09. */
export function stopwatch(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (parts[0] === 0) parts.shift();
  return parts.map((part, index) => (index ? String(part).padStart(2, "0") : String(part))).join(":");
}

const UNITS: readonly (readonly [string, number])[] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1000],
];

/** How long, by its two largest units: 4 mins 12 secs. */
export function lasting(ms: number, tag: string): string {
  const whole = Math.max(0, Math.round(ms / 1000) * 1000);
  const first = UNITS.findIndex(([, length]) => whole >= length || length === 1000);
  let rest = whole;
  const counts = UNITS.slice(first, first + 2).map(([unit, length]) => {
    const count = Math.floor(rest / length);
    rest -= count * length;
    return { count, text: new Intl.NumberFormat(tag, { style: "unit", unit, unitDisplay: "short" }).format(count) };
  });
  return counts.filter(({ count }, index) => count || !index).map(({ text }) => text).join(" ");
}

/** Whole days from `at` to `now` by the calendar of this machine. */
export function daysAgo(at: Date, now: Date): number {
  const midnight = (date: Date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  return Math.round((midnight(now) - midnight(at)) / 86_400_000);
}

const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
];

/** How long ago: now, 5 minutes ago, yesterday. */
export function ago(at: Date, now: Date, tag: string): string {
  const ms = now.getTime() - at.getTime();
  const [unit, length] = STEPS.find(([, step]) => ms >= step) ?? ["second", Infinity];
  return new Intl.RelativeTimeFormat(tag, { numeric: "auto" }).format(-Math.floor(Math.max(0, ms) / length), unit);
}
