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

export function freshVisit(): Visit {
  return { session: `v_${newClientMsgId()}`, token: null, tokenAt: 0 };
}
