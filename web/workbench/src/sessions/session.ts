import type { Api, SessionSummary } from "@kefu/api";
import type { Agent } from "../accounts/agent";
import type { Standing } from "./standing";

/** One session in full. Times are Unix seconds. */
export type Session = Api.SessionWithHistory;

type Place = Pick<Standing, "status" | "holder">;

export function mayTakeOver({ status }: Place, agent: Agent): boolean {
  const open = status === "pending_manual" || status === "bot_active" || status === "after_hours_email";
  return open && agent.permissions.includes("sessions.takeover");
}

export function mayReply({ status, holder }: Place, agent: Agent): boolean {
  const isOwn = holder?.id === agent.id && agent.permissions.includes("sessions.reply");
  return status === "manual_live" && (isOwn || agent.permissions.includes("sessions.reply_any"));
}

export function mayRelease({ status, holder }: Place, agent: Agent): boolean {
  const isOwn = holder?.id === agent.id && agent.permissions.includes("sessions.release");
  return status === "manual_live" && (isOwn || agent.permissions.includes("sessions.release_any"));
}

export function mayAssign({ status }: Place, { permissions }: Agent): boolean {
  return status === "pending_manual" && permissions.includes("sessions.assign");
}

export function mayClose({ status, holder }: Place, agent: Agent): boolean {
  const { permissions } = agent;
  const isFree = holder === null || holder.id === agent.id || permissions.includes("sessions.release_any");
  return status !== "closed" && isFree && permissions.includes("sessions.close");
}

/** A name for people; a visitor who gave none is told apart by the end of the session's name. */
export function nameOf(
  session: Pick<SessionSummary, "session_name" | "user_profile">,
  visitor: (short: string) => string,
): string {
  return session.user_profile.nickname || visitor(session.session_name.slice(-4));
}
