import { type Api, type ApiError, failureFromThrown } from "@kefu/api";
import { defineStore } from "pinia";
import { ref, shallowRef, watch } from "vue";
import { request } from "../accounts/client";
import { i18n } from "../app/locale";
import { fit } from "../ui/fuzzy";

export type Reply = Api.ReplyOut;

interface Listed {
  data: Api.ReplyPage;
}

/** More than anybody looks through. */
const PAGES = 10;

/** The agent's own quick replies and the team's, filled in for one session. */
export const useReplies = defineStore("replies", () => {
  const replies = shallowRef<readonly Reply[]>([]);
  const vocabulary = shallowRef<Api.Vocabulary>();
  const failure = shallowRef<ApiError>();
  const loaded = ref(false);

  /** `session`: for whom the variables are filled in. */
  async function load(session?: string): Promise<void> {
    try {
      vocabulary.value ??= (await request<{ data: Api.Vocabulary }>("/api/quick-replies/categories")).data;
      replies.value = await all(session);
      failure.value = undefined;
      loaded.value = true;
    } catch (thrown) {
      failure.value = failureFromThrown(thrown);
    }
  }

  /** The text for the session; counts as a use. */
  async function use(id: string, session: string): Promise<string> {
    const body = { session_name: session };
    return (await request<{ data: Api.UsedReply }>(`/api/quick-replies/${id}/use`, { body })).data.replaced_content;
  }

  async function put(id: string | undefined, fields: Api.NewReply): Promise<void> {
    await request(id ? `/api/quick-replies/${id}` : "/api/quick-replies", { method: id ? "PUT" : "POST", body: fields });
    await load();
  }

  async function remove(id: string): Promise<void> {
    await request(`/api/quick-replies/${id}`, { method: "DELETE" });
    await load();
  }

  /** Which one a key stands for: one's own before the team's. */
  function withKey(key: number): Reply | undefined {
    const found = replies.value.filter(({ shortcut }) => shortcut === key);
    return found.find((reply) => !reply.is_shared) ?? found[0];
  }

  watch(i18n.global.locale, () => (vocabulary.value = undefined));
  return { replies, vocabulary, failure, loaded, load, use, put, remove, withKey };
});

async function all(session: string | undefined): Promise<Reply[]> {
  const found: Reply[] = [];
  let cursor: string | null = "";
  for (let page = 0; page < PAGES && cursor !== null; page += 1) {
    const query: Record<string, string> = { sort: "newest", cursor, ...(session && { session_name: session }) };
    const { data }: Listed = await request<Listed>("/api/quick-replies", { query });
    found.push(...data.items);
    cursor = data.next_cursor;
  }
  return found;
}

/** Those that fit, the best first, and of equals the most used. */
export function matching(replies: readonly Reply[], keyword: string, category: string): Reply[] {
  return replies
    .filter((reply) => !category || reply.category === category)
    .map((reply) => ({ reply, score: fit(keyword, reply.title, reply.content) }))
    .filter(({ score }) => score > 0)
    .toSorted((a, b) => b.score - a.score || b.reply.usage_count - a.reply.usage_count)
    .map(({ reply }) => reply);
}

const VARIABLE = /\{(?:customer_name|agent_name|order_id|order_status|tracking_number|product_name|current_time|current_date)\}/g;

/** The variables that stand unfilled in a text, each once. */
export function unfilled(text: string): string[] {
  return [...new Set(text.match(VARIABLE))];
}
