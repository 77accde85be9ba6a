import type { Config, FiidoKefu } from "./types";

interface Settings {
  /** The shop's id. */
  app_id?: string;
  api_base?: string;
  user_id?: string | number;
  /** HMAC-SHA256 of `user_id` with the shop's secret, in hexadecimal digits. */
  user_hash?: string;
  name?: string;
  email?: string;
  phone?: string;
  language_override?: string;
  alignment?: "left" | "right";
  hide_default_launcher?: boolean;
}

interface Stub {
  (method: string, ...args: unknown[]): void;
  q?: ArrayLike<unknown>[];
}

declare global {
  interface Window {
    Intercom?: Stub;
    intercomSettings?: Settings;
  }
}

/** Pages that were written for Intercom's messenger: `Intercom("boot", …)` and what follows. Other methods do nothing. */
export function defineIntercom(kefu: FiidoKefu): void {
  const left = window.Intercom?.q ?? [];
  const methods = methodsOf(kefu);
  const intercom: Stub = (method, ...args) => (Object.hasOwn(methods, method) ? methods[method]?.(args[0]) : undefined);
  window.Intercom = intercom;
  if (window.intercomSettings) intercom("boot", window.intercomSettings);
  for (const call of left) intercom(...(Array.from(call) as [string, ...unknown[]]));
}

function methodsOf(kefu: FiidoKefu): Record<string, (given: unknown) => void> {
  const listen = (name: "ready" | "open" | "close") => (listener: unknown) => kefu.on(name, listener as () => void);
  return {
    boot: (settings) => {
      kefu.init(configFrom(settings as Settings | undefined));
      update(kefu, settings as Settings | undefined);
    },
    update: (settings) => update(kefu, settings as Settings | undefined),
    shutdown: () => (kefu.logout(), kefu.hide()),
    show: () => kefu.open(),
    showMessages: () => kefu.open(),
    showNewMessage: () => kefu.open(),
    hide: () => kefu.close(),
    ready: listen("ready"),
    onShow: listen("open"),
    onHide: listen("close"),
    onUnreadCountChange: (listener) => kefu.on("unread", ({ count }) => (listener as (count: number) => void)(count)),
  };
}

/** The same whoever is here, so that a second `boot` finds the chat that runs. */
function configFrom({ app_id, api_base, alignment }: Settings = {}): Config {
  return {
    ...(app_id && { shop: app_id }),
    ...(api_base && { baseUrl: api_base }),
    position: alignment === "left" ? "bottom-left" : "bottom-right",
  };
}

function update(kefu: FiidoKefu, settings: Settings = {}): void {
  const { user_id, user_hash, name, email, phone, language_override, hide_default_launcher } = settings;
  if (user_id !== undefined) {
    const about = { identifier_hash: user_hash, name, email, phone };
    kefu.setUser({ identifier: user_id, ...(JSON.parse(JSON.stringify(about)) as Record<string, string>) });
  }
  if (language_override) kefu.setLocale(language_override);
  if (hide_default_launcher) kefu.hide();
  else kefu.show();
}
