import { newClientMsgId } from "@kefu/api";
import { reactive, ref, watch } from "vue";
import { ofThisTab } from "./store";

/** What a visitor is about to leave out of hours. It outlives a reload, and a repeat is sent under the same id. */
export interface Letter {
  isOpen: boolean;
  email: string;
  message: string;
  client_msg_id: string;
}

const ADDRESS = /^[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/;

export function isAddress(text: string): boolean {
  return text.length <= 254 && ADDRESS.test(text);
}

function blank(): Letter {
  return { isOpen: false, email: "", message: "", client_msg_id: newClientMsgId() };
}

export function useLetter(shop: string) {
  const key = `kefu.letter.${shop}`;
  const stored = ofThisTab.getItem(key);
  const letter = reactive<Letter>(stored ? { ...blank(), ...(JSON.parse(stored) as Partial<Letter>) } : blank());
  watch(letter, () => ofThisTab.setItem(key, JSON.stringify(letter)));

  const state = ref<"ready" | "sending" | "failed">("ready");

  /** Once it has arrived what comes next is another letter, from the same address. `served`: by people, in the chat. */
  async function send(leave: (letter: Letter) => Promise<boolean>): Promise<"left" | "served" | "failed"> {
    state.value = "sending";
    try {
      const isLeft = await leave(letter);
      Object.assign(letter, { ...blank(), email: letter.email });
      state.value = "ready";
      return isLeft ? "left" : "served";
    } catch {
      return (state.value = "failed");
    }
  }

  function forget(): void {
    Object.assign(letter, blank());
  }

  return { letter, state, send, forget };
}
