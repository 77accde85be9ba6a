import type { LogEvent } from "@kefu/api";
import type { Bot } from "./bot";
import type { Shift } from "./shift";
import type { Locale } from "./words";
import { type CameFrom, type Envelope, isEnvelope, type ToFrame, type ToHost } from "../../sdk/src/protocol";

/** What the page asks of the chat. Of a look that is not saved yet only a page of our own speaks (`Embed.isPreview`). */
export type Order = Exclude<ToFrame, { type: "page" }> | Preview;

export interface Preview {
  type: "preview";
  bot: Bot;
  shift: Shift | null;
  locale: Locale;
}

export interface Host {
  tell: (message: ToHost) => void;
  /** Where on the shop's pages the visitor is now; null while nobody said, or it is not to be counted. */
  cameFrom: () => CameFrom | null;
  close: () => void;
}

/** The door to the shop's page: exact origin out, exact origin and source in. */
export function connectHost(parentOrigin: string, onMessage: (message: Order) => void): Host {
  const embedded = parentOrigin !== "" && window.parent !== window;
  let cameFrom: CameFrom | null = null;

  function receive(event: MessageEvent): void {
    if (event.origin !== parentOrigin || event.source !== window.parent || !isEnvelope(event.data)) return;
    const message = event.data as Envelope<ToFrame | Preview>;
    if (message.type === "page") cameFrom = message.cameFrom;
    else onMessage(message);
  }

  if (embedded) window.addEventListener("message", receive);
  return {
    tell: (message) => {
      if (embedded) window.parent.postMessage({ kefu: 1, ...message } satisfies Envelope<ToHost>, parentOrigin);
    },
    cameFrom: () => cameFrom,
    close: () => window.removeEventListener("message", receive),
  };
}

/** What the chat tells the shop's page of itself, as the chat's options. */
export function toldTo(host: Host) {
  return {
    cameFrom: host.cameFrom,
    onNews: (event: LogEvent) => newsOf(event).forEach(host.tell),
    onConversation: (session: string) => host.tell({ type: "conversation", session }),
    onError: (code: string) => host.tell({ type: "error", code }),
  };
}

/** Of something that happened just now, what is the page's business. */
export function newsOf(event: LogEvent): ToHost[] {
  switch (event.type) {
    case "message.posted":
      return [{ type: "message", role: event.role, content: event.content, seq: event.seq }];
    case "session.escalated":
    case "session.agent_lost":
      return event.to === "pending_manual" ? [{ type: "handoff", to: "queue" }] : [];
    case "session.taken_over":
    case "session.transferred":
      return [{ type: "handoff", to: "agent", agent: event.agent.name }];
    case "session.released":
    case "session.returned":
      return [{ type: "handoff", to: "bot" }];
    case "session.rated":
      return [{ type: "rating", score: event.score }];
    default:
      return [];
  }
}
