import { ApiError, type Client } from "@kefu/api";
import { ref, watch } from "vue";
import type { Chat } from "./chat";
import { useLetter } from "./letter";
import { useShift } from "./shift";
import { words } from "./words";

/** How a visitor comes to a person: by asking for one, or out of hours by leaving an address. `said`: told once it has arrived. */
export function useReaching(chat: Pick<Chat, "conversation" | "escalate" | "leave">, open: Client, shop: string, said: (text: string) => void) {
  const { shift, load } = useShift(open, shop);
  const { letter, sent, forget } = useLetter(shop);
  const state = ref<"ready" | "sending" | "failed">("ready");
  const notice = ref("");

  // It speaks of a wish that is fulfilled or over once the conversation has moved.
  watch(() => chat.conversation.value.status, () => (notice.value = ""));

  async function escalate(): Promise<void> {
    notice.value = "";
    try {
      if (await chat.escalate()) return;
      letter.isOpen = true;
      void load();
    } catch (thrown) {
      const isTooOften = thrown instanceof ApiError && thrown.status === 429;
      notice.value = isTooOften ? thrown.message : words.value.escalateFailed;
    }
  }

  async function sendLetter(): Promise<void> {
    state.value = "sending";
    try {
      const { email } = letter;
      if (await chat.leave(letter)) said(words.value.line.deferred(email));
      sent();
      state.value = "ready";
    } catch {
      state.value = "failed";
    }
  }

  function leaveLetter(): void {
    letter.isOpen = false;
    state.value = "ready";
  }

  return { shift, letter, state, notice, escalate, sendLetter, leaveLetter, forget };
}
