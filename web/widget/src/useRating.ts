import { computed, ref } from "vue";
import type { Chat } from "./chat";
import { ratable, type Verdict } from "./rating";
import { lasting } from "./store";

const KEY = "kefu.unrated";

/** Whether to ask for a rating. Who does not want to is not asked again for that service, in no tab. */
export function useRating(chat: Chat) {
  const declined = ref(lasting.getItem(KEY) ?? "");
  const thanked = ref(0);
  const end = computed(() => ratable(chat.conversation.value, Date.now()));
  const nameOf = (seq: number) => `${chat.session}#${seq}`;
  const isAsked = computed(() => thanked.value > 0 || (end.value !== undefined && declined.value !== nameOf(end.value.seq)));

  async function send(verdict: Verdict): Promise<void> {
    const seq = end.value?.seq ?? 0;
    await chat.rate(verdict);
    thanked.value = seq;
  }

  function dismiss(): void {
    if (end.value) {
      declined.value = nameOf(end.value.seq);
      lasting.setItem(KEY, declined.value);
    }
    thanked.value = 0;
  }

  return { isAsked, send, dismiss };
}
