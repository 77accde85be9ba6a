import type { Logged } from "./events";
import type * as Api from "./generated";

/** Internal: a policy hit. `about`: the seq of the visitor's message; `moment`: its time, ms. */
export interface PolicyDecided extends Logged<"policy.decided"> {
  policy: string;
  version: number;
  kind: Api.Hit["kind"];
  name: Api.Names;
  severity: Api.Hit["severity"];
  does: string;
  dry_run: boolean;
  effect: "escalated" | "closed" | "tagged" | "told" | "none";
  point: "question" | "answer";
  about: number;
  moment: number;
  why: { found?: string[]; spans?: [number, number][]; [fact: string]: unknown };
}

/** Internal: what the bot would have said, had a policy not asked for a person because of it. */
export interface AnswerWithheld extends Logged<"answer.withheld"> {
  content: string;
  reply_to: number;
  answered: boolean;
}

export type PolicyEvent = PolicyDecided | AnswerWithheld;

/** The team is told, once, that a policy hit which says so. */
export interface PolicyFired {
  type: "policy.fired";
  session: string;
  name: string;
  policy: Api.Names;
}
