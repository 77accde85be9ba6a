import { newClientMsgId } from "@kefu/api";
import { reactive, watch } from "vue";
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

  /** It has arrived: what comes next is another letter, from the same address. */
  function sent(): void {
    Object.assign(letter, { ...blank(), email: letter.email });
  }

  function forget(): void {
    Object.assign(letter, blank());
  }

  return { letter, sent, forget };
}
