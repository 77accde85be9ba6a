import type { Client } from "@kefu/api";
import { shallowRef, watch } from "vue";
import { type Palette, paint } from "./paint";
import { locale } from "./words";

type Asked = "off" | "optional" | "required";

export interface Consent {
  /** `line`: said beside the chat; `ask`: agreed to before the first word. */
  mode: "off" | "line" | "ask";
  text: string;
  link: string;
}

export interface Bot {
  name: string;
  icon_url: string | null;
  welcome: string;
  suggestions: string[];
  is_demo: boolean;
  palette: Palette | null;
  /** Strokes in a square of 24. */
  icon: string;
  avatar: "robot" | "letter" | "icon";
  asks: { name: Asked; email: Asked };
  consent: Consent;
  hours_notice: string;
}

/** The shop's bot in the visitor's language; null until the server has said, and then the last it said. */
export function useBot(client: Client, shop: string) {
  const bot = shallowRef<Bot | null>(null);
  let loading = Promise.resolve();

  /** Throws `ApiError`. */
  async function load(wanted = locale.value): Promise<void> {
    const query = { shop, locale: wanted };
    const answer = await client.request<{ bot: Bot }>("/api/bot/info", { query });
    if (wanted === locale.value) bot.value = answer.bot;
  }

  const quietly = () => (loading = load().catch(() => undefined));
  watch(locale, quietly, { immediate: true });
  watch(bot, (known) => known?.palette && paint(known.palette));
  window.addEventListener("online", quietly);
  return { bot, loaded: () => loading, load };
}
