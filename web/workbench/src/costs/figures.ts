import type { Api } from "@kefu/api";

export type Used = Api.UsedOut;
export interface Sum {
  calls: number;
  tokens_in: number;
  tokens_out: number;
  /** As far as it is known: without the calls that are `unpriced`. */
  cost: number;
  unpriced: number;
}

const DAY_MS = 86_400_000;
const NOTHING: Sum = { calls: 0, tokens_in: 0, tokens_out: 0, cost: 0, unpriced: 0 };

export function sum(used: readonly (Omit<Sum, "cost"> & { cost: number | null })[]): Sum {
  return used.reduce<Sum>(
    (all, one) => ({
      calls: all.calls + one.calls,
      tokens_in: all.tokens_in + one.tokens_in,
      tokens_out: all.tokens_out + one.tokens_out,
      cost: all.cost + (one.cost ?? 0),
      unpriced: all.unpriced + one.unpriced,
    }),
    NOTHING,
  );
}

/** The sums of what has the same key, dearest first. */
export function grouped<T extends Used>(used: readonly T[], key: (one: T) => string): { key: string; first: T; sum: Sum }[] {
  const groups = new Map<string, T[]>();
  for (const one of used) groups.set(key(one), [...(groups.get(key(one)) ?? []), one]);
  return [...groups]
    .flatMap(([name, found]) => (found[0] ? [{ key: name, first: found[0], sum: sum(found) }] : []))
    .toSorted((a, b) => b.sum.cost - a.sum.cost || b.sum.calls - a.sum.calls);
}

/** Every day from the first to the last, `2026-11-27`, also those on which nothing was used. */
export function daysBetween(first: string, last: string): string[] {
  const days: string[] = [];
  for (let at = Date.parse(first); at <= Date.parse(last); at += DAY_MS) days.push(new Date(at).toISOString().slice(0, 10));
  return days;
}

export interface Day {
  day: string;
  sum: Sum;
}

/** Whether nothing is known of what it cost. */
export function isUnknown({ cost, unpriced }: Sum): boolean {
  return unpriced > 0 && cost === 0;
}

/** Two digits behind the point, more where it is less than a cent. */
export function dollars(cost: number): string {
  return cost >= 0.01 || cost === 0 ? cost.toFixed(2) : cost.toPrecision(2);
}
