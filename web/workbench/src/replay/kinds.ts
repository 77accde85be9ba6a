import type { LogEvent } from "@kefu/api";
import { isMove } from "../sessions/moves";

/** What has a lane of its own on the line of time. */
export const KINDS = ["message", "policy", "move", "wait", "rating", "team"] as const;
export type Kind = (typeof KINDS)[number];

/** None for what stands beside the talk, as the evidence of an answer does. */
export function kindOf(event: LogEvent): Kind | undefined {
  if (event.type === "message.posted") return "message";
  if (event.type === "policy.decided" || event.type === "answer.withheld") return "policy";
  if (event.type === "session.escalated" || event.type === "queue.reminded") return "wait";
  if (event.type === "session.rated") return "rating";
  if (/^(?:note|assist|transfer|tag)\./.test(event.type)) return "team";
  return isMove(event) || event.type === "session.assigned" || event.type === "session.unassigned" ? "move" : undefined;
}
