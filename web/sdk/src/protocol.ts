import type { ChatEvents, Context, Locale } from "./types";

export type { Card, Context, Locale, Theme, User } from "./types";

/** What the loader on the shop's page and the chat in the frame say to each other. */

/** A token of the shop's server, or an identifier with or without its hash. */
export interface Proof {
  token?: string;
  identifier?: string;
  identifier_hash?: string;
  name?: string;
  email?: string;
  phone?: string;
}

/** A page of the shop without query, and the site that led there ("" for none). */
export interface CameFrom {
  page: string;
  referrer: string;
}

export type ToFrame =
  | { type: "opened" }
  | { type: "closed" }
  | { type: "send"; text: string }
  | { type: "user"; proof: Proof }
  | { type: "context"; card: Context | null }
  /** What the shop said by itself, and was opened for. */
  | { type: "invitation"; id: string; text: string }
  | { type: "locale"; locale: Locale }
  | { type: "layout"; layout: "panel" | "maximised" | "full" }
  /** Where the visitor is now; null while they do not let that be counted. */
  | { type: "page"; cameFrom: CameFrom | null }
  | { type: "logout" };

type Told<Name extends keyof ChatEvents> = { type: Name } & ChatEvents[Name];

export type ToHost =
  | { type: "ready" }
  | { type: "close" }
  | { type: "maximise"; on: boolean }
  | Told<"unread">
  | Told<"message">
  | Told<"status">
  | Told<"handoff">
  | Told<"rating">
  | Told<"conversation">
  | Told<"error">;

export type Envelope<Message> = Message & { kefu: 1 };

export function isEnvelope(data: unknown): data is Envelope<{ type: string }> {
  return typeof data === "object" && data !== null && "kefu" in data && data.kefu === 1 && "type" in data;
}
