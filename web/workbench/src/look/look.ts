import type { Bot } from "../../../widget/src/bot";
import type { Locale } from "../app/locale";
import { AA, contrast, paletteOf } from "./colors";

export type Both<T = string> = Record<Locale, T>;
export const LOCALES: readonly Locale[] = ["zh", "en"];
export const MOST_QUESTIONS = 6;

/** As it is edited and stored. `suggestions`: the first questions. */
export interface Look {
  name: Both;
  welcome: Both;
  suggestions: Both<string[]>;
  color: string;
  on_color: string;
  position: "bottom-right" | "bottom-left";
  icon: string;
  avatar: Bot["avatar"];
  asks: Bot["asks"];
  consent: { mode: Bot["consent"]["mode"]; text: Both; link: Both };
  hours_notice: Both;
}

export interface StoredLook extends Look {
  shop: string;
  version: number;
  is_default: boolean;
  /** The strokes of each that may be chosen. */
  icons: Record<string, string>;
}

const COLOR = /^#[0-9a-f]{6}$/i;
const LINK = /^(https:\/\/[^\s"<>\\]+)?$/;

export function lookOf({ shop: _shop, version: _version, icons: _icons, is_default: _default, ...look }: StoredLook): Look {
  return JSON.parse(JSON.stringify(look)) as Look;
}

/** What the colours chosen make of the words on them; 0 while one of them is no colour yet. */
export function contrastOf({ color, on_color }: Look): number {
  return COLOR.test(color) && COLOR.test(on_color) ? Math.floor(contrast(color, on_color) * 100) / 100 : 0;
}

export function wrongLink(look: Look): boolean {
  return LOCALES.some((locale) => !LINK.test(look.consent.link[locale]));
}

export function isSound(look: Look): boolean {
  const both = (texts: Both) => LOCALES.every((locale) => texts[locale].trim());
  const hasConsent = look.consent.mode === "off" || both(look.consent.text);
  return both(look.name) && both(look.welcome) && contrastOf(look) >= AA && hasConsent && !wrongLink(look);
}

/** Empty lines are no questions. */
export function questionsOf(text: string): string[] {
  return text.split("\n").filter((line) => line.trim()).slice(0, MOST_QUESTIONS);
}

/** What the widget would be told, were this look saved. */
export function shownOf(look: Look, icons: Record<string, string>, locale: Locale): Bot {
  const { asks, avatar, consent } = look;
  return {
    name: look.name[locale],
    icon_url: "/static/widget/bot.svg",
    welcome: look.welcome[locale],
    suggestions: [...look.suggestions[locale]],
    is_demo: false,
    palette: contrastOf(look) ? paletteOf(look.color, look.on_color) : null,
    icon: icons[look.icon] ?? "",
    avatar,
    asks: { ...asks },
    consent: { mode: consent.mode, text: consent.text[locale], link: consent.link[locale] },
    hours_notice: look.hours_notice[locale],
  };
}
