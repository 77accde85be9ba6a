import type { Client } from "@kefu/api";
import { shallowRef, watch } from "vue";
import { type Locale, locale } from "./words";

export interface Bot {
  name: string;
  icon_url: string | null;
  welcome: string;
  suggestions: string[];
  is_demo: boolean;
}

/** The shop's bot in the visitor's language; null until the server has said, and then the last it said. */
export function useBot(client: Client, shop: string) {
  const bot = shallowRef<Bot | null>(null);

  async function load(wanted: Locale): Promise<void> {
    const query = { shop, locale: wanted };
    const answer = await client.request<{ bot: Bot }>("/api/bot/info", { query }).catch(() => null);
    if (answer && wanted === locale.value) bot.value = answer.bot;
  }

  watch(locale, load, { immediate: true });
  window.addEventListener("online", () => void load(locale.value));
  return bot;
}
