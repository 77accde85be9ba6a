import { type Api, ApiError } from "@kefu/api";
import { computed, ref } from "vue";
import type { Chat } from "./chat";
import { ratable, type Verdict } from "./rating";
import { lasting } from "./store";

const KEY = "kefu.unrated";

/** Whether to ask for a rating; once the log has one, the question is gone and a line says thanks. Who does not want to is not asked again for that service, in no tab. */
export function useRating(chat: Chat) {
  const declined = ref(lasting.getItem(KEY) ?? "");
  const end = computed(() => ratable(chat.conversation.value, Date.now()));
  const nameOf = (seq: number) => `${chat.session.value}#${seq}`;
  const isAsked = computed(() => end.value !== undefined && declined.value !== nameOf(end.value.seq));

  const path = () => `/api/sessions/${chat.session.value}/rating`;

  /** Once for each service: what was said before, maybe in another tab or by an answer that was lost, is as good. */
  async function send(verdict: Verdict): Promise<void> {
    try {
      await chat.client.request(path(), { body: verdict });
    } catch (thrown) {
      if (!(thrown instanceof ApiError) || thrown.code !== "ALREADY_RATED") throw thrown;
    }
  }

  /** In the visitor's language. */
  async function reasons(): Promise<Api.ReasonOut[]> {
    return (await chat.client.request<Api.RatingsData>(path())).data.reasons;
  }

  function dismiss(): void {
    if (!end.value) return;
    declined.value = nameOf(end.value.seq);
    lasting.setItem(KEY, declined.value);
  }

  return { isAsked, send, reasons, dismiss };
}
