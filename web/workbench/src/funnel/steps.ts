import type { Api } from "@kefu/api";

type Counted = keyof Api.FunnelCounts;
/** In the order in which they are taken. */
export const STEPS = ["impressions", "opens", "first_messages", "answered", "escalated", "rated", "closed"] as const satisfies readonly Counted[];
export type StepName = (typeof STEPS)[number];

export interface Step {
  name: StepName;
  /** Of everybody; null where only those are counted who agreed to it. */
  all: number | null;
  agreed: number;
  /** Of `base`, what it follows on; null for the first one, and where there is nothing to take a share of. */
  share: number | null;
  base: Counted | null;
  /** How many of the base did not come here. */
  left: number;
}

/** Before the first word only those are counted who agreed, so a share there is of them alone; after it, of everybody. */
export function stepsOf(total: Api.FunnelCounts, agreed: Api.FunnelCounts): Step[] {
  const known = { ...agreed, impressions: total.impressions, opens: total.opens };
  return STEPS.map((name) => {
    const base = baseOf(name);
    const counts = name === "opens" || name === "first_messages" ? known : total;
    const [of, here] = [base ? counts[base] : 0, counts[name]];
    const isSeen = name === "impressions" || name === "opens";
    return { name, base, all: isSeen ? null : total[name], agreed: known[name], share: of ? here / of : null, left: Math.max(0, of - here) };
  });
}

function baseOf(name: StepName): Counted | null {
  if (name === "impressions") return null;
  if (name === "opens") return "impressions";
  if (name === "first_messages") return "opens";
  return name === "closed" ? "sessions" : "first_messages"; // also those in which nobody said a word are closed
}

export function isEmpty(total: Api.FunnelCounts): boolean {
  return total.sessions === 0 && STEPS.every((name) => total[name] === 0);
}
