/** What a shop's page may write: the names and shapes that the loader and the npm package keep. */
export type Locale = "zh" | "en";
export type Theme = "light" | "dark" | "auto";

export interface Config {
  /** Where Kefu runs; by default where the script came from. `apiUrl` is the older name. */
  baseUrl?: string;
  apiUrl?: string;
  shop?: string;
  locale?: string;
  theme?: Theme;
  position?: "bottom-right" | "bottom-left";
  autoOpen?: boolean;
  /** false: the page opens the chat with a button of its own. */
  launcher?: boolean;
  zIndex?: number;
  /** Whether the visitor lets pages be counted; without it nothing is. See `setConsent`. */
  consent?: boolean;
  /** Whether the shop's invitations may come up on this page; for that it asks the server, once the page is idle. */
  invite?: boolean;
}

/** Who is here. `id` and `nickname` are the older names of `identifier` and `name`. */
export interface User {
  identifier?: string | number;
  id?: string | number;
  /** HMAC-SHA256 of the identifier with the shop's secret, in hexadecimal digits. */
  identifier_hash?: string;
  name?: string;
  nickname?: string;
  email?: string;
  phone?: string;
}

export interface Card {
  kind: "product" | "order";
  title: string;
  url?: string;
  image?: string;
  /** Ready to show: a price, an order status. */
  detail?: string;
  /** What the cart is worth now, for the shop's invitations. */
  cart?: number;
}

/** Where there is nothing to show but a cart. */
export type Context = Card | Required<Pick<Card, "cart">>;

/** Each comes to `on` and, as `fiido-kefu:<name>` with the same detail, to `window`. */
export interface ChatEvents {
  /** The chat is on the page and calls take effect. Who listens later hears it at once. */
  ready: Record<string, never>;
  open: Record<string, never>;
  close: Record<string, never>;
  /** A new one, of either side. `role`: `user`, `assistant` or `agent`. */
  message: { role: string; content: string; seq: number };
  unread: { count: number };
  /** `bot_active`, `pending_manual`, `manual_live`, `after_hours_email` or `closed`. */
  status: { status: string };
  /** A person was asked for, took over, or gave back to the bot. `agent`: the person's name. */
  handoff: { to: "queue" | "agent" | "bot"; agent?: string };
  /** The visitor rated the service, 1 to 5. */
  rating: { score: number };
  conversation: { session: string };
  error: { code: string };
}

export type ChatEvent = keyof ChatEvents;
export type Listener<Name extends ChatEvent> = (detail: ChatEvents[Name]) => void;

/** A call as a page leaves it before the script has come: `["open"]`. */
export type Call = readonly [method: string, ...args: unknown[]];
export type Queue = Call[] | { q?: Call[] };

/** `window.FiidoKefu`, and `window.FiidoChat`, its older name. */
export interface FiidoKefu {
  /** Starts the chat. One that runs goes on: another configuration is refused as the error `ALREADY_RUNNING`. */
  init(config?: Config): FiidoKefu;
  open(): void;
  close(): void;
  toggle(): void;
  /** The launcher. */
  show(): void;
  hide(): void;
  /** Opens the chat and says it for the visitor. */
  sendMessage(text: string): void;
  /** Who is here; with `identifier_hash` the shop's server vouches for the identifier. */
  setUser(user: User): void;
  /** Who is here, as the shop's server has signed it (JWT). What is refused comes as an `error`. */
  identify(token: string): void;
  /** A product or an order the visitor is looking at, what is in the cart, or both; null takes it away. */
  setContext(context: Context | null): void;
  setLocale(locale: string): void;
  /** The visitor agrees to being counted, or no more. Do-Not-Track and Global Privacy Control go before it. */
  setConsent(given: boolean): void;
  /** Returns what stops the listening. */
  on<Name extends ChatEvent>(name: Name, listener: Listener<Name>): () => void;
  /** Without a listener: all of that event. */
  off<Name extends ChatEvent>(name: Name, listener?: Listener<Name>): void;
  /** The person and their conversation leave this browser. */
  logout(): void;
  /** Takes everything off the page, listeners too. `init` starts anew. */
  destroy(): void;
  /** Makes calls that are written as for the queue, so that the same line serves before and after loading. */
  push(...calls: Call[]): void;
}

declare global {
  interface Window {
    FiidoKefu?: FiidoKefu | Queue;
    FiidoChat?: FiidoKefu | Queue;
    FiidoKefuConfig?: Config;
  }
}
