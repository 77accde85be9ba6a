import type { LocationQuery } from "vue-router";

export const STATUSES = ["pending_manual", "manual_live", "after_hours_email", "bot_active", "closed"] as const;
export const CUSTOMERS = ["vip", "new", "old"] as const;

const PARTS = ["status", "agent", "shop", "customer", "tag", "from", "until"] as const;
export type Part = (typeof PARTS)[number];

/** What narrows a search, as it stands in the address; "" where nothing was chosen. Days are local, `2026-11-27`. */
export type Narrow = Record<Part, string>;

export function narrowOf(query: LocationQuery): Narrow {
  const read = (part: Part) => [part, typeof query[part] === "string" ? query[part] : ""] as const;
  return Object.fromEntries(PARTS.map(read)) as Narrow;
}

/** Only what was chosen. */
export function chosenIn(narrow: Narrow): Partial<Narrow> {
  return Object.fromEntries(PARTS.filter((part) => narrow[part]).map((part) => [part, narrow[part]]));
}

/** As `GET /api/search/messages` takes it: from the first moment of one local day to the last of the other. */
export function queryOf({ customer, from, until, ...same }: Narrow): Record<string, string> {
  const query: Record<string, string> = { ...same, customer_type: customer };
  const [start, end] = [midnight(from), midnight(until, 1)];
  if (start !== null) query.time_start = String(start / 1000);
  if (end !== null) query.time_end = String((end - 1) / 1000);
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value));
}

function midnight(day: string, later = 0): number | null {
  const [year = Number.NaN, month = Number.NaN, date = Number.NaN] = day.split("-").map(Number);
  const at = new Date(year, month - 1, date + later).getTime();
  return Number.isNaN(at) ? null : at;
}
