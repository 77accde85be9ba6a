import type { Card } from "../../sdk/src/protocol";

/** What the visitor looks at, as the service takes it: each text as long as it may be. */
export interface Page {
  kind: Card["kind"];
  title: string;
  url: string;
  detail: string;
}

/** null for nothing, and for what has no name. The shop's page may hand over anything. */
export function pageOf(card: Card | null): Page | null {
  const text = (value: unknown, limit: number) => (typeof value === "string" ? value.slice(0, limit) : "");
  if (!card || (card.kind !== "product" && card.kind !== "order") || !text(card.title, 1)) return null;
  return { kind: card.kind, title: text(card.title, 200), url: text(card.url, 1000), detail: text(card.detail, 500) };
}
