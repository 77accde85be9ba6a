import { type Conversation, isUnreadable, newClientMsgId } from "@kefu/api";
import { computed, ref } from "vue";
import { request } from "../accounts/client";
import { explain } from "../app/errors";

/** Where the visitor wants to be answered; null when they left no address, or it cannot be read any more. */
export function addressOf(state: Conversation): string | null {
  const left = state.events.findLast((event) => event.type === "session.deferred");
  return left && !isUnreadable(left.email) ? left.email : null;
}

/** Answering by mail as well. Offered where there is an address, and chosen while the visitor is away. */
export function useMailReply(session: string, state: () => Conversation) {
  const address = computed(() => addressOf(state()));
  const chosen = ref<boolean>();
  const sending = ref(false);
  const isChosen = computed({
    get: () => address.value !== null && (chosen.value ?? state().visitorOnline !== true),
    set: (wanted) => (chosen.value = wanted),
  });
  /** The same words keep their id, so that a repeat after a lost answer is no second mail. */
  let last = { content: "", id: "" };

  async function send(content: string): Promise<boolean> {
    if (sending.value) return false;
    if (last.content !== content) last = { content, id: newClientMsgId() };
    sending.value = true;
    try {
      const body = { content, client_msg_id: last.id };
      await request(`/api/sessions/${encodeURIComponent(session)}/mail-reply`, { body });
      last = { content: "", id: "" };
      return true;
    } catch (thrown) {
      ElMessage.warning({ message: explain(thrown), grouping: true });
      return false;
    } finally {
      sending.value = false;
    }
  }

  return { address, isChosen, sending, send };
}
