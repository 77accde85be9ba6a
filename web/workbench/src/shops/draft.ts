import type { Api } from "@kefu/api";

export type Span = Api.Span;
export type StoredHours = Api.HoursOut;

/** Hours as they are edited. Midnight at the end of a day is 00:00, which is how a field for times shows it. */
export interface Draft {
  timezone: string;
  week: Span[][];
  special: { day: string; spans: Span[] }[];
  mailTo: string;
}

export type Trouble = "overlap" | "empty" | "unfinished";

const DAY = 24 * 60;
const ADDRESS = /^[\w.!#$%&'*+/=?^`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/;

export function draftOf({ hours, mail_to }: Pick<StoredHours, "hours" | "mail_to">): Draft {
  const shown = (spans: readonly Span[]) =>
    spans.map(({ opens, closes }) => ({ opens, closes: closes === "24:00" ? "00:00" : closes }));
  const special = Object.entries(hours.special ?? {}).map(([day, spans]) => ({ day, spans: shown(spans) }));
  return {
    timezone: hours.timezone,
    week: hours.week.map(shown),
    special: special.toSorted((a, b) => a.day.localeCompare(b.day)),
    mailTo: mail_to.join(", "),
  };
}

export function hoursOf({ timezone, week, special }: Draft): Api.Hours {
  const stored = (spans: readonly Span[]) =>
    spans.map(({ opens, closes }) => ({ opens, closes: closes === "00:00" ? "24:00" : closes }));
  const days = special.map(({ day, spans }) => [day, stored(spans)] as const);
  return { timezone, week: week.map(stored) as Api.Hours["week"], special: Object.fromEntries(days) };
}

export function addressesOf({ mailTo }: Draft): string[] {
  return mailTo.split(/[,，;；\s]+/).filter(Boolean);
}

/** What is wrong with the spans of one day; a span over midnight may reach into the next day's. */
export function troubleOf(spans: readonly Span[]): Trouble | undefined {
  if (spans.some(({ opens, closes }) => !opens || !closes)) return "unfinished";
  if (spans.some(({ opens, closes }) => opens === closes && opens !== "00:00")) return "empty";
  const sorted = spans.map(minutesOf).toSorted((a, b) => a[0] - b[0]);
  return sorted.some(([opens], at) => at > 0 && opens < (sorted[at - 1]?.[1] ?? 0)) ? "overlap" : undefined;
}

export function minutesOf({ opens, closes }: Span): [number, number] {
  const [from, until] = [inMinutes(opens), inMinutes(closes)];
  return [from, until > from ? until : until + DAY];
}

function inMinutes(time: string): number {
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  return hours * 60 + minutes;
}

export function isTwice({ special }: Draft, day: string): boolean {
  return special.filter((each) => each.day === day).length > 1;
}

export function isSound(draft: Draft): boolean {
  const days = [...draft.week, ...draft.special.map(({ spans }) => spans)];
  const areNamed = draft.special.every(({ day }) => day && !isTwice(draft, day));
  return days.every((spans) => !troubleOf(spans)) && areNamed && areAddresses(draft);
}

export function areAddresses(draft: Draft): boolean {
  return addressesOf(draft).every((address) => ADDRESS.test(address));
}

/** The next span to offer: an hour behind the last one, or a working day. */
export function nextSpan(spans: readonly Span[]): Span {
  const last = spans.at(-1);
  const from = last ? minutesOf(last)[1] + 60 : DAY;
  if (!last) return { opens: "09:00", closes: "18:00" };
  if (from + 60 > DAY) return { opens: "", closes: "" };
  return { opens: clock(from), closes: clock(Math.min(from + 240, DAY)) };
}

function clock(minutes: number): string {
  const of = (part: number) => String(part).padStart(2, "0");
  return `${of(Math.floor(minutes / 60) % 24)}:${of(minutes % 60)}`;
}
