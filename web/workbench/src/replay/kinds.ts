import type { LogEvent } from "@kefu/api";
import { isMove } from "../sessions/moves";

/** What has a lane of its own on the line of time. */
export const KINDS = ["message", "policy", "person", "wait", "rating", "team"] as const;
export type Kind = (typeof KINDS)[number];

const PERSONAL = new Set(["session.taken_over", "session.transferred", "session.released", "session.assigned", "session.unassigned", "session.agent_lost"]);

/** None for what stands beside the talk, as the evidence of an answer does. */
export function kindOf(event: LogEvent): Kind | undefined {
  if (event.type === "message.posted") return "message";
  if (event.type === "policy.decided" || event.type === "answer.withheld") return "policy";
  if (event.type === "session.escalated" || event.type === "queue.reminded") return "wait";
  if (event.type === "session.rated") return "rating";
  if (PERSONAL.has(event.type)) return "person";
  if (/^(?:note|assist|transfer|tag)\./.test(event.type)) return "team";
  return isMove(event) ? "person" : undefined;
}
