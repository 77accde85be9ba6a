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
  /** The identifier of whose it is, as the shop's page says; none while nobody has signed in. */
  who?: string;
  /** The session that went on here, in whose name something may still be waiting to be sent. */
  left?: { session: string; token: string };
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

/** The two places of this browser: for whom nobody knows, and for the one person who is signed in to the shop. */
export class Visits {
  /** Who is here in this tab; undefined while nobody has signed in. */
  who: string | undefined;
  readonly anonymous: string;
  readonly known: string;

  constructor(shop: string) {
    this.anonymous = `kefu.visit.${shop}`;
    this.known = `kefu.visit.${shop}.known`;
  }

  get key(): string {
    return this.who === undefined ? this.anonymous : this.known;
  }

  /** Where this browser talks, if it is this person who does. */
  stored(): Visit | null {
    const visit = storedVisit(this.key);
    return visit?.who === this.who ? visit : null;
  }

  save(visit: Visit): void {
    saveVisit(this.key, visit);
  }

  fresh(earlier?: string | null): Visit {
    return this.signed(freshVisit(earlier));
  }

  given(session: string, token: string): Visit {
    return this.signed({ session, token, tokenAt: Date.now() });
  }

  signed(visit: Visit): Visit {
    return this.who === undefined ? visit : { ...visit, who: this.who };
  }
}
