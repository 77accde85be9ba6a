import { LOOK } from "./look";
import type { Config, Locale, Theme } from "./types";

export interface Settings {
  /** Without a trailing slash. */
  base: string;
  /** "" leaves the choice to the server. */
  shop: string;
  locale: Locale;
  theme: Theme;
  side: "left" | "right";
  autoOpen: boolean;
  launcher: boolean;
  zIndex: number;
  consent: boolean;
  invite: boolean;
}

export function settingsFrom(config: Config, scriptOrigin: string): Settings {
  const { shop = "", theme = "auto", autoOpen = false, launcher = true, zIndex = 2_147_483_647 } = config;
  const { consent = false, invite = false } = config;
  return {
    base: (config.baseUrl ?? config.apiUrl ?? scriptOrigin).replace(/\/+$/, ""),
    shop,
    locale: localeFrom(config.locale ?? (document.documentElement.lang || navigator.language)),
    theme,
    side: (config.position ?? LOOK.position) === "bottom-left" ? "left" : "right",
    autoOpen,
    launcher,
    zIndex,
    consent,
    invite,
  };
}

export function localeFrom(tag: string): Locale {
  return tag.toLowerCase().startsWith("zh") ? "zh" : "en";
}

/** `data-auto-open`, or `auto-open` on an element, present and not "false". */
export function configFrom(attribute: (name: string) => string | null): Config {
  const given: Config = {};
  const flag = (name: string) => (attribute(name) === null ? undefined : attribute(name) !== "false");
  const text = { shop: attribute("shop"), locale: attribute("locale"), baseUrl: attribute("api-url"), position: attribute("position") };
  for (const [key, value] of Object.entries(text)) if (value) Object.assign(given, { [key]: value });
  const theme = attribute("theme");
  if (theme === "light" || theme === "dark") given.theme = theme;
  const flags = { autoOpen: flag("auto-open"), launcher: flag("launcher"), consent: flag("consent"), invite: flag("invite") };
  for (const [key, value] of Object.entries(flags)) {
    if (value !== undefined) Object.assign(given, { [key]: value });
  }
  return given;
}
