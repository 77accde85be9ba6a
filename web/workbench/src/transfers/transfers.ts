import type { Api, TransferChanged } from "@kefu/api";
import { useIntervalFn } from "@vueuse/core";
import { defineStore } from "pinia";
import { computed, ref } from "vue";
import { useAccount } from "../accounts/account";
import { request } from "../accounts/client";
import { type News, tell } from "../app/alerts";
import { i18n } from "../app/locale";
import { tried } from "../app/tried";
import { deskFrames } from "../sessions/deskFrames";
import type { Standing } from "../sessions/standing";
import { useThreads } from "../sessions/threads";

export type Transfer = Api.TransferOut;
type Pending = { data: Transfer[]; sent: Transfer[] };

export interface Handover {
  to_agent_id: string;
  reason: string;
  note: string;
  force: boolean;
  /** Of the session as it was seen. */
  epoch: number;
}

/** What this agent is asked to take over, and what they asked; the server knows best and is asked at each change. */
export const useTransfers = defineStore("transfers", () => {
  const account = useAccount();
  const threads = useThreads();
  const received = ref<Transfer[]>([]);
  const sent = ref<Transfer[]>([]);
  const now = ref(Date.now());
  useIntervalFn(() => (now.value = Date.now()), 1_000);

  async function load(): Promise<void> {
    // A failure means the line is down; on its return all is read anew.
    const answer = await request<Pending>("/api/transfer-requests/pending").catch(() => null);
    if (!answer) return;
    const known = new Set(received.value.map(({ id }) => id));
    received.value = answer.data;
    sent.value = answer.sent;
    for (const one of answer.data) if (!known.has(one.id)) tell(newsOf(one));
  }

  deskFrames.on((frame) => {
    if (frame.type === "stream.ready") void load();
    if (frame.type !== "transfer.changed") return;
    void load();
    announce(frame, account.agent?.id);
  });

  const post = (path: string, body?: unknown) => tried(() => request(path, { method: "POST", body }).finally(load));

  const left = ({ expires_at }: Transfer) => Math.max(0, expires_at * 1000 - now.value);
  const isOpen = (one: Transfer) => left(one) > 0;
  const isAsked = (name: string) => sent.value.some((one) => isOpen(one) && one.session_name === name);

  return {
    /** One request at a time. */
    mayTransfer: (standing: Standing) => !isAsked(standing.session_name) && isAllowed(standing, account),
    received: computed(() => received.value.filter(isOpen)),
    sent: computed(() => sent.value.filter(isOpen)),
    left,
    ask: async (session: string, body: Handover) => {
      await threads.deliver(session);
      return post(`/api/sessions/${encodeURIComponent(session)}/transfer`, body);
    },
    respond: ({ id }: Transfer, action: "accept" | "decline") => post(`/api/transfer-requests/${id}/respond`, { action }),
    cancel: ({ id }: Transfer) => post(`/api/transfer-requests/${id}/cancel`),
  };
});

function isAllowed({ status, holder }: Standing, { agent, may }: ReturnType<typeof useAccount>): boolean {
  return status === "manual_live" && may(holder?.id === agent?.id ? "sessions.transfer" : "sessions.transfer_any");
}

function announce(frame: TransferChanged, me: string | undefined): void {
  const said = outcome(frame, me);
  if (!said) return;
  if (frame.forced && frame.to_agent.id === me) tell({ title: said, session: frame.session, about: frame.request_id });
  ElMessage({ message: said, type: frame.status === "accepted" ? "success" : "warning", duration: 6_000 });
}

function newsOf({ id, from_agent_name: name, note: body, session_name: session }: Transfer): News {
  return { title: i18n.global.t("transfers.incoming", { name }), body, session, about: id };
}

/** What this agent should hear of a request that is over; nothing of what they did themselves. */
export function outcome(frame: TransferChanged, me: string | undefined): string {
  const { t } = i18n.global;
  const { status, forced, to_agent, from_agent, note, ended_by } = frame;
  if (to_agent.id === me) return forced && status === "accepted" ? t("transfers.forced", { name: from_agent.name }) : "";
  const name = to_agent.name;
  if (status === "accepted") {
    if (forced) return from_agent.id === me ? t("transfers.forcedAway", { name }) : "";
    return t("transfers.accepted", { name });
  }
  if (status === "declined") return note ? t("transfers.declinedWith", { name, note }) : t("transfers.declined", { name });
  if (status !== "expired") return "";
  // Who released or closed it knows.
  if (ended_by === "released" || ended_by === "closed") return "";
  return t(ended_by === "timeout" ? "transfers.expired" : "transfers.overtaken", { name });
}
