/** What the loader on the shop's page and the chat in the frame say to each other. */
export type Locale = "zh" | "en";
export type Theme = "light" | "dark" | "auto";

/** Keeps conversations of different people on one browser apart. */
export interface User {
  id: string;
  nickname?: string;
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
  | { type: "user"; user: User }
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
