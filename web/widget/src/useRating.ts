import { computed, ref } from "vue";
import type { Chat } from "./chat";
import { ratable, type Verdict } from "./rating";
import { lasting } from "./store";

const KEY = "kefu.unrated";

/** Whether to ask for a rating; once the log has one, the question is gone and a line says thanks. Who does not want to is not asked again for that service, in no tab. */
export function useRating(chat: Chat) {
  const declined = ref(lasting.getItem(KEY) ?? "");
  const thanked = ref(false);
  const end = computed(() => ratable(chat.conversation.value, Date.now()));
  const nameOf = (seq: number) => `${chat.session.value}#${seq}`;
  const isAsked = computed(() => end.value !== undefined && declined.value !== nameOf(end.value.seq));

  async function send(verdict: Verdict): Promise<void> {
    await chat.rate(verdict);
    thanked.value = true;
  }

  function dismiss(): void {
    if (!end.value) return;
    declined.value = nameOf(end.value.seq);
    lasting.setItem(KEY, declined.value);
  }

  return { isAsked, thanked, send, dismiss };
}
