/** What the loader on the shop's page and the chat in the frame say to each other. */
export type Locale = "zh" | "en";
export type Theme = "light" | "dark" | "auto";

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

/** A token of the shop's server, or an identifier with or without its hash. */
export interface Proof {
  token?: string;
  identifier?: string;
  identifier_hash?: string;
  name?: string;
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
}

export type ToFrame =
  | { type: "opened" }
  | { type: "closed" }
  | { type: "send"; text: string }
  | { type: "user"; proof: Proof }
  | { type: "context"; card: Card | null }
  | { type: "locale"; locale: Locale }
  | { type: "layout"; layout: "panel" | "maximised" | "full" }
  | { type: "logout" };

export type ToHost =
  | { type: "ready" }
  | { type: "close" }
  | { type: "maximise"; on: boolean }
  | { type: "unread"; count: number }
  | { type: "message"; role: string; content: string; seq: number }
  | { type: "status"; status: string }
  | { type: "conversation"; session: string }
  | { type: "error"; code: string };

export type Envelope<Message> = Message & { kefu: 1 };

export function isEnvelope(data: unknown): data is Envelope<{ type: string }> {
  return typeof data === "object" && data !== null && "kefu" in data && data.kefu === 1 && "type" in data;
}
