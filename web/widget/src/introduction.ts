import { computed, type Ref, shallowRef } from "vue";
import type { Bot } from "./bot";
import { ofThisTab } from "./store";

/** What a visitor says before the first word, where the shop asks for it. */
export interface Introduction {
  name: string;
  email?: string;
  agreed: boolean;
}

/** The form before the first word. What is written meanwhile waits until it is filled in, or needed no more. */
export function useIntroduction(shop: string, bot: Readonly<Ref<Bot | null>>, loaded: () => Promise<void>) {
  const key = `kefu.introduction.${shop}`;
  const stored = ofThisTab.getItem(key);
  const given = shallowRef(stored === null ? null : (JSON.parse(stored) as Introduction));
  let waiting: (() => void)[] = [];
  const isWanted = computed(() => given.value === null && bot.value !== null && asksAnything(bot.value));

  /** Settles when there is nothing more to wait for. */
  async function said(): Promise<Introduction | null> {
    await loaded();
    if (isWanted.value) await new Promise<void>((resolve) => waiting.push(resolve));
    return given.value;
  }

  function release(): void {
    for (const goOn of waiting) goOn();
    waiting = [];
  }

  function give(introduction: Introduction): void {
    given.value = introduction;
    ofThisTab.setItem(key, JSON.stringify(introduction));
    release();
  }

  function forget(): void {
    given.value = null;
    ofThisTab.removeItem(key);
  }

  return { isWanted, said, give, release, forget };
}

export function asksAnything({ asks, consent }: Bot): boolean {
  return asks.name !== "off" || asks.email !== "off" || consent.mode === "ask";
}
