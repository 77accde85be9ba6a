import type { AgentRef, Api, SessionStatus } from "@kefu/api";
import type { Held } from "./list";
import type { Thread } from "./thread";

/** Where a session stands, from the best this browser knows. */
export interface Standing {
  session_name: string;
  status: SessionStatus;
  holder: AgentRef | null;
  user_profile: Api.UserProfile;
  waitingSince: number | null;
}

const NOBODY: Api.UserProfile = { nickname: "", vip: false, language: "" };

/** The conversation's own log first; until that is here, the list's summary or the session as loaded. */
export function standingOf(thread: Thread, summary: Held | undefined): Standing {
  const { state, session } = thread;
  const { opened, status, agent } = state.value;
  const known = summary ?? session.value;
  const profile = known?.user_profile ?? (opened ? { ...NOBODY, nickname: opened.nickname } : NOBODY);
  const place = opened || !known ? { status, holder: agent } : { status: known.status, holder: known.assigned_agent };
  return { session_name: thread.name, ...place, user_profile: profile, waitingSince: summary?.waitingSince ?? null };
}
