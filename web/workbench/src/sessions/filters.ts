export const CHOICES = {
  agent: ["mine", "unassigned"],
  customer: ["vip", "new", "old"],
  began: ["day", "week", "month"],
  sort: ["newest", "oldest", "vip", "waitTime"],
} as const;
export type Choice = keyof typeof CHOICES;
export type Filter = Choice | "tag";

/** What narrows the list, "" where nothing was chosen. `tag`: its id. */
export type Filters = Record<Filter, string>;

const DAY_SECONDS = 86_400;
const DAYS: Record<string, number> = { day: 1, week: 7, month: 30 };
/** To the minute, so that asking again for the next page asks for the same. */
const GRAIN_MS = 60_000;

export function noFilters(): Filters {
  return { agent: "", customer: "", began: "", sort: "", tag: "" };
}

/** What was chosen, in the order of the popover. */
export function chosen(filters: Filters): [Filter, string][] {
  const known = [...(Object.keys(CHOICES) as Choice[]), "tag"] as const;
  return known.filter((filter) => filters[filter]).map((filter) => [filter, filters[filter]]);
}

/** As `GET /api/sessions` takes it. */
export function queryOf({ agent, customer, began, sort, tag }: Filters, now: number): Record<string, string> {
  const query: Record<string, string> = {};
  if (agent) query.agent = agent;
  if (customer) query.customer_type = customer;
  if (sort) query.sort = sort;
  if (tag) query.tag = tag;
  const days = DAYS[began];
  if (days) query.time_start = String(Math.floor(now / GRAIN_MS) * (GRAIN_MS / 1000) - days * DAY_SECONDS);
  return query;
}
