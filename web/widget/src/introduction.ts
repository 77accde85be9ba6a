import { ApiError } from "@kefu/api";
import { computed, type Ref, shallowRef, watch } from "vue";
import type { Bot } from "./bot";
import type { Chat } from "./chat";
import type { ChatOptions } from "./chatOptions";
import { ofThisTab } from "./store";

/** What a visitor says before the first word, where the shop asks for it. `agreed`: the words that were shown, "" for none. */
export interface Introduction {
  name: string;
  email?: string;
  agreed: string;
}

/** The shop's bot, which says what is asked: when it has come, and how to have it come again. */
interface Known {
  bot: Readonly<Ref<Bot | null>>;
  loaded: () => Promise<void>;
  load: () => Promise<void>;
}

type Form = Pick<Bot, "asks" | "consent">;

/** The form before the first word. What is written meanwhile waits until it is filled in, or needed no more. */
export function useIntroduction(shop: string, { bot, loaded, load }: Known, chat: () => Pick<Chat, "isNew" | "isOpen">) {
  const key = `kefu.introduction.${shop}`;
  const stored = ofThisTab.getItem(key);
  const given = shallowRef(stored === null ? null : (JSON.parse(stored) as Introduction));
  /** What the server would not open a conversation without. Else only who is new is asked. */
  const demanded = shallowRef<readonly string[] | null>(null);
  let before: Introduction | null = null;
  /** What is asked now; null for nothing. */
  const form = computed(() => {
    const { isNew, isOpen } = chat();
    const isAsked = isNew.value || (demanded.value !== null && !isOpen.value);
    if (given.value || !bot.value || !isAsked) return null;
    const asked = demanded.value && (before || !isNew.value) ? only(bot.value, demanded.value) : bot.value;
    return asksAnything(asked) ? asked : null;
  });

  /** Settles when there is nothing more to wait for. */
  async function said(): Promise<Introduction | null> {
    await loaded();
    if (form.value) await gone(form);
    return given.value;
  }

  /** The shop may ask for more, or in other words, than when the chat was loaded. Throws `ApiError`. */
  async function demand(missing: readonly string[]): Promise<boolean> {
    await load();
    before = given.value ?? before;
    [given.value, demanded.value] = [null, missing];
    return form.value !== null || chat().isOpen.value;
  }

  function give({ name, email = before?.email, agreed }: Introduction): void {
    given.value = { name: name || (before?.name ?? ""), agreed: agreed || (before?.agreed ?? ""), ...(email && { email }) };
    demanded.value = null;
    ofThisTab.setItem(key, JSON.stringify(given.value));
  }

  function forget(): void {
    given.value = demanded.value = before = null;
    ofThisTab.removeItem(key);
  }

  return { form, said, demand, give, forget };
}

/** Opens a conversation with what the visitor says; what the server wants besides they are asked, and what they wrote waits. */
export async function introduced<T>(
  asking: Pick<ChatOptions, "introduction" | "demand">,
  open: (said: Introduction | null) => Promise<T>,
): Promise<T> {
  try {
    return await open((await asking.introduction?.()) ?? null);
  } catch (thrown) {
    if (!(thrown instanceof ApiError) || thrown.code !== "INTRODUCTION_REQUIRED") throw thrown;
    if (!(await asking.demand?.(thrown.details.missing as string[]))) throw thrown;
    return await introduced(asking, open);
  }
}

function gone(what: Readonly<Ref<unknown>>): Promise<void> {
  return new Promise((resolve) => {
    const { stop } = watch(what, (now) => now ?? (stop(), resolve()));
  });
}

function only({ asks, consent }: Form, wanted: readonly string[]): Form {
  const asked = (what: keyof Bot["asks"]) => (wanted.includes(what) && asks[what] !== "off" ? "required" : "off");
  return { asks: { name: asked("name"), email: asked("email") }, consent: wanted.includes("agreed") ? consent : { ...consent, mode: "off" } };
}

export function asksAnything({ asks, consent }: Form): boolean {
  return asks.name !== "off" || asks.email !== "off" || consent.mode === "ask";
}
