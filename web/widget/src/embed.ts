import type { Locale } from "./words";

/** What the loader asked for, in the frame's own address. */
export interface Embed {
  shop: string;
  locale: Locale;
  theme: "light" | "dark" | "auto";
  /** The page around the frame: the only one listened and spoken to. "" when the chat stands alone. */
  parent: string;
  /** Only to look at, by a page of our own that is about to change the look: of no shop, so that it finds no talk. */
  isPreview: boolean;
}

const NO_SHOP = "-";

export function embedFrom(search: string, language: string): Embed {
  const query = new URLSearchParams(search);
  const theme = query.get("theme");
  const parent = originOf(query.get("parent"));
  const isPreview = query.has("preview") && parent === location.origin;
  return {
    shop: isPreview ? NO_SHOP : (query.get("shop") ?? ""),
    locale: (query.get("locale") || language).toLowerCase().startsWith("zh") ? "zh" : "en",
    theme: theme === "light" || theme === "dark" ? theme : "auto",
    parent,
    isPreview,
  };
}

function originOf(parent: string | null): string {
  try {
    return parent ? new URL(parent).origin : "";
  } catch {
    return "";
  }
}
