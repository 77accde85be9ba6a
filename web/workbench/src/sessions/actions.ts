import { type AgentRef, failureFromThrown, type SessionStatus } from "@kefu/api";
import { useI18n } from "vue-i18n";
import { request } from "../accounts/client";
import { explain } from "../app/errors";
import { useSessionList } from "./sessionList";
import { useThreads } from "./threads";

/** What an agent does to a session as a whole. The streams bring the result; this only tells the person. */
export function useSessionActions() {
  const { t } = useI18n();
  const list = useSessionList();
  const threads = useThreads();

  async function act(name: string, verb: "takeover" | "release" | "close" | "assign" | "assignment/decline", body?: unknown): Promise<boolean> {
    await threads.deliver(name);
    try {
      await request(`/api/sessions/${encodeURIComponent(name)}/${verb}`, { method: "POST", body });
      return true;
    } catch (thrown) {
      ElMessage.warning({ message: reasonOf(thrown), grouping: true });
      return false;
    }
  }

  function reasonOf(thrown: unknown): string {
    const { code, details } = failureFromThrown(thrown);
    if (code === "ALREADY_TAKEN") return t("conversation.alreadyTaken", { name: (details.agent as AgentRef).name });
    if (code === "ASSIGNED_TO_OTHER") return t("duty.assignedToOther", { name: (details.agent as AgentRef).name });
    if (code === "INVALID_STATUS") {
      return t("conversation.invalidStatus", { status: t(`status.${details.status as SessionStatus}`) });
    }
    return explain(thrown);
  }

  /** What was taken from the queue goes on under "mine", and so does its agent. */
  async function takeOver(name: string): Promise<boolean> {
    const taken = await act(name, "takeover");
    if (taken && list.tab !== "all") list.tab = "mine";
    return taken;
  }

  return {
    takeOver,
    release: (name: string) => act(name, "release"),
    decline: (name: string) => act(name, "assignment/decline"),
    /** Offers a session that waits to an agent. */
    assign: (name: string, agent_id: string) => act(name, "assign", { agent_id }),
    close: (name: string, reason: string) => act(name, "close", { reason }),
  };
}
