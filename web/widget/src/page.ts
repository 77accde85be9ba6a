import type { Card, Context } from "../../sdk/src/protocol";

/** What the visitor looks at, as the service takes it: each text as long as it may be. */
export interface Page {
  kind: Card["kind"];
  title: string;
  url: string;
  detail: string;
}

/** What can be shown of what the shop's page has handed over, which may be anything; null for what has no name. */
export function cardOf(context: Context | null): Card | null {
  if (!context || !("kind" in context) || (context.kind !== "product" && context.kind !== "order")) return null;
  return typeof context.title === "string" && context.title ? context : null;
}

export function pageOf(context: Context | null): Page | null {
  const text = (value: unknown, limit: number) => (typeof value === "string" ? value.slice(0, limit) : "");
  const card = cardOf(context);
  if (!card) return null;
  return { kind: card.kind, title: text(card.title, 200), url: text(card.url, 1000), detail: text(card.detail, 500) };
}
