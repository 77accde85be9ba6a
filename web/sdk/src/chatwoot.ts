import type { Config, FiidoKefu } from "./types";

interface Settings {
  position?: "left" | "right";
  locale?: string;
  useBrowserLanguage?: boolean;
  hideMessageBubble?: boolean;
  darkMode?: "light" | "dark" | "auto";
}

interface Person {
  name?: string;
  email?: string;
  phone_number?: string;
  identifier_hash?: string;
}

interface Run {
  /** The shop's id; anything else is the server's default shop. */
  websiteToken?: string;
  baseUrl?: string;
}

/** What a page may do with `$chatwoot`. */
export type Chatwoot = ReturnType<typeof surfaceOf>;

declare global {
  interface Window {
    chatwootSDK?: { run: (options?: Run) => void };
    chatwootSettings?: Settings;
    $chatwoot?: Chatwoot;
  }
}

const SHOP = /^[a-z0-9][a-z0-9-]{0,39}$/;

/** Pages that were written for Chatwoot's script: `chatwootSDK.run`, `$chatwoot` and the events of both. */
export function defineChatwoot(kefu: FiidoKefu): void {
  window.chatwootSDK ??= {
    run: (options = {}) => {
      if (window.$chatwoot) return;
      const settings = window.chatwootSettings ?? {};
      const shim = (window.$chatwoot = surfaceOf(kefu, options, settings));
      tellAsChatwoot(kefu, shim);
      kefu.init(configFrom(options, settings));
      // As theirs, it comes after what the page does right behind `run`.
      setTimeout(() => ((shim.hasLoaded = true), tell("ready")));
    },
  };
}

function configFrom({ websiteToken = "", baseUrl }: Run, settings: Settings): Config {
  const { position, locale, useBrowserLanguage, hideMessageBubble, darkMode = "light" } = settings;
  const language = useBrowserLanguage ? navigator.language : locale;
  return {
    ...(baseUrl && { baseUrl }),
    ...(SHOP.test(websiteToken) && { shop: websiteToken }),
    ...(language && { locale: language }),
    position: position === "left" ? "bottom-left" : "bottom-right",
    launcher: !hideMessageBubble,
    theme: darkMode,
  };
}

function surfaceOf(kefu: FiidoKefu, { websiteToken, baseUrl }: Run, { locale, position, hideMessageBubble = false }: Settings) {
  return {
    websiteToken,
    baseUrl,
    locale,
    position: position ?? "right",
    hideMessageBubble,
    hasLoaded: false,
    isOpen: false,
    unreadMessageCount: 0,
    toggle: (state?: "open" | "close") => kefu[state ?? "toggle"](),
    toggleBubbleVisibility: (state: "show" | "hide") => kefu[state](),
    setUser: (identifier: string | number, person: Person = {}) => {
      const { phone_number: phone, identifier_hash, name, email } = person;
      kefu.setUser({ identifier, ...defined({ identifier_hash, name, email, phone }) });
    },
    setLocale: (tag = "en") => kefu.setLocale(tag),
    reset: () => kefu.logout(),
    ...IGNORED,
  };
}

const nothing = () => {};
/** There is nothing here to give them to, and a page that calls them goes on. */
const IGNORED = {
  setCustomAttributes: nothing,
  deleteCustomAttribute: nothing,
  setConversationCustomAttributes: nothing,
  deleteConversationCustomAttribute: nothing,
  setLabel: nothing,
  removeLabel: nothing,
  setColorScheme: nothing,
  popoutChatWindow: nothing,
};

function tellAsChatwoot(kefu: FiidoKefu, shim: Chatwoot): void {
  kefu.on("open", () => ((shim.isOpen = true), tell("opened")));
  kefu.on("close", () => ((shim.isOpen = false), tell("closed")));
  kefu.on("message", ({ role, content }) => tell("on-message", { content, message_type: role === "user" ? 0 : 1 }));
  kefu.on("conversation", () => tell("on-start-conversation"));
  kefu.on("unread", ({ count }) => {
    shim.unreadMessageCount = count;
    tell("on-unread-message-count-changed", { unreadMessageCount: count });
  });
  kefu.on("error", (error) => tell("error", error));
}

function tell(name: string, detail: object = {}): void {
  dispatchEvent(new CustomEvent(`chatwoot:${name}`, { detail }));
}

function defined(values: Record<string, string | undefined>): Record<string, string> {
  return JSON.parse(JSON.stringify(values)) as Record<string, string>;
}
