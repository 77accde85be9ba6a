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
    const said = outcome(frame, account.agent?.id);
    if (said && frame.forced && frame.to_agent.id === account.agent?.id) {
      tell({ title: said, session: frame.session, about: frame.request_id });
    }
    if (said) ElMessage({ message: said, type: frame.status === "accepted" ? "success" : "warning", duration: 6_000 });
  });

  const post = (path: string, body?: unknown) => tried(() => request(path, { method: "POST", body }).finally(load));

  const left = ({ expires_at }: Transfer) => Math.max(0, expires_at * 1000 - now.value);
  const isOpen = (one: Transfer) => left(one) > 0;

  return {
    received: computed(() => received.value.filter(isOpen)),
    sent: computed(() => sent.value.filter(isOpen)),
    left,
    ask: (session: string, body: Handover) => post(`/api/sessions/${encodeURIComponent(session)}/transfer`, body),
    respond: ({ id }: Transfer, action: "accept" | "decline") => post(`/api/transfer-requests/${id}/respond`, { action }),
    cancel: ({ id }: Transfer) => post(`/api/transfer-requests/${id}/cancel`),
  };
});

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
