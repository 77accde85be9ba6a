import { createI18n } from "vue-i18n";
import { type Catalogue, en, type Later } from "./en";
import { zh } from "./zh";

declare module "vue-i18n" {
  // vue-i18n reads the shape of messages from this interface.
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type
  export interface DefineLocaleMessage extends Catalogue {}
}

export type Locale = "zh" | "en";
const KEY = "kefu.locale";

function preferred(): Locale {
  const kept = localStorage.getItem(KEY);
  if (kept === "zh" || kept === "en") return kept;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

export const i18n = createI18n({
  legacy: false,
  locale: preferred(),
  fallbackLocale: "en",
  messages: { zh, en } as Record<Locale, Catalogue>,
});

/** Whoever is fetched later and shows words of its own adds them before it does. */
export function addWords<Name extends keyof Later>(name: Name, words: Record<Locale, Later[Name]>): void {
  if (name in i18n.global.getLocaleMessage("en")) return;
  for (const locale of ["zh", "en"] as const) i18n.global.mergeLocaleMessage(locale, { [name]: words[locale] });
}

/** What `<html lang>`, `Intl` and `Accept-Language` want to hear. */
export function languageTag(): string {
  return i18n.global.locale.value === "zh" ? "zh-CN" : "en-GB";
}

export function setLocale(locale: Locale): void {
  i18n.global.locale.value = locale;
  localStorage.setItem(KEY, locale);
  document.documentElement.lang = languageTag();
}

document.documentElement.lang = languageTag();
