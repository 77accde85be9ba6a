import type { Api, AssistChanged, DeskFrame, MentionsChanged } from "@kefu/api";
import { defineStore } from "pinia";
import { computed, ref, shallowRef } from "vue";
import { useAccount } from "../accounts/account";
import { request } from "../accounts/client";
import { tell } from "../app/alerts";
import { i18n } from "../app/locale";
import { tried } from "../app/tried";
import { deskFrames } from "../sessions/deskFrames";

export type Assist = Api.AssistOut;
export type Mention = Api.MentionOut;
const NO_ASSISTS: Api.AssistLists = { received: [], sent: [], count: { received: 0, sent: 0, received_pending: 0 } };
const NO_MENTIONS: Api.MentionList = { mentions: [], unread: 0, next_cursor: null };

/** What colleagues want of this agent and where they name them; asked for anew at each change. */
export const useInbox = defineStore("inbox", () => {
  const account = useAccount();
  const assists = ref(NO_ASSISTS);
  const mentions = ref(NO_MENTIONS);
  const failure = shallowRef<unknown>();

  async function load(): Promise<void> {
    try {
      const [asked, named] = await Promise.all([
        request<{ data: Api.AssistLists }>("/api/assist-requests"),
        request<{ data: Api.MentionList }>("/api/mentions", { query: { limit: 20 } }),
      ]);
      [assists.value, mentions.value] = [asked.data, named.data];
      failure.value = undefined;
    } catch (thrown) {
      failure.value = thrown;
    }
  }

  deskFrames.on((frame) => {
    const isOurs = frame.type === "assist.changed" || frame.type === "mentions.changed";
    if (!account.may("sessions.annotate") || !(isOurs || frame.type === "stream.ready")) return;
    void load();
    announce(frame, account.agent?.id);
  });

  const post = (path: string, body: unknown) => tried(() => request(path, { body }).finally(load));

  const open = computed(() => assists.value.received.filter(({ status }) => status === "pending"));
  const unread = computed(() => mentions.value.unread);

  return {
    open,
    sent: computed(() => assists.value.sent.slice(0, 10)),
    mentions: computed(() => mentions.value.mentions),
    unread,
    waiting: computed(() => assists.value.count.received_pending + unread.value),
    failure,
    load,
    /** The notes of this conversation are before the agent's eyes. */
    readIn: (session: string) => markRead(mentions.value.mentions.filter((one) => one.session_name === session)),
    readAll: () => post("/api/mentions/read", {}),
    ask: (body: Api.AskAssist) => post("/api/assist-requests", body),
    answer: ({ id }: Assist, answer: string) => post(`/api/assist-requests/${id}/answer`, { answer }),
  };
});

/** A mark that is lost is set the next time. */
function markRead(mentions: readonly Mention[]): void {
  const note_ids = mentions.filter(({ read }) => !read).map((one) => one.note_id);
  if (note_ids.length) void request("/api/mentions/read", { body: { note_ids } }).catch(() => undefined);
}

function announce(frame: DeskFrame, me: string | undefined): void {
  if (frame.type !== "assist.changed" && frame.type !== "mentions.changed") return;
  const title = frame.type === "assist.changed" ? askedOrAnswered(frame, me) : named(frame);
  if (!title) return;
  ElMessage.info({ message: title, grouping: true });
  const about = frame.type === "assist.changed" ? frame.assist_id : frame.note_id;
  tell({ title, session: frame.session, about: about ?? "" });
}

const named = ({ by }: MentionsChanged) => (by ? i18n.global.t("collaboration.namedYou", { name: by }) : "");

function askedOrAnswered({ status, requester, assistant }: AssistChanged, me: string | undefined): string {
  const { t } = i18n.global;
  if (status === "pending" && assistant.id === me) return t("collaboration.askedYou", { name: requester.name });
  return status === "answered" && requester.id === me ? t("collaboration.answeredYou", { name: assistant.name }) : "";
}
