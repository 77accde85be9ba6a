import { newClientMsgId } from "@kefu/api";
import { lasting } from "./store";

/**
 * Which session this browser talks in. The name is made here and the token comes with the first message, so that
 * looking at the chat opens no session, and a message written offline already belongs to one.
 */
export interface Visit {
  session: string;
  token: string | null;
  /** When the token was given, in ms. */
  tokenAt: number;
  /** A token of an earlier session: it says whose visitor this is, before the first message and in what it opens. */
  earlier?: string | null;
  /** The seq at which this tab came here: what was divided off before does not take it away again. */
  since?: number;
  /** The session that went on here, in whose name something may still be waiting to be sent. */
  left?: { session: string; token: string };
}

export function visitKey(shop: string, userId: string | undefined): string {
  return userId === undefined ? `kefu.visit.${shop}` : `kefu.visit.${shop}.${userId}`;
}

export function storedVisit(key: string): Visit | null {
  const stored = lasting.getItem(key);
  return stored === null ? null : (JSON.parse(stored) as Visit);
}

export function saveVisit(key: string, visit: Visit): void {
  lasting.setItem(key, JSON.stringify(visit));
}

export function freshVisit(earlier: string | null = null): Visit {
  return { session: `v_${newClientMsgId()}`, token: null, tokenAt: 0, ...(earlier && { earlier }) };
}
