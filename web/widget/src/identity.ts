import { type Api, ApiError, type Client, emptyOutbox, failureFromThrown } from "@kefu/api";
import type { Proof } from "../../sdk/src/protocol";
import { lasting } from "./store";
import { storedVisit, type Visit, type Visits } from "./visit";

const AGAIN_MS = 2_000;
const LAST_TRY = 10;

export interface IdentityOptions {
  shop: string;
  client: (token: () => string | null) => Client;
  visits: Visits;
  /** What is in sight now. */
  visit: () => Visit;
  /** Go on there, for the person whom `visits` says. */
  goOn: (visit: Visit) => void;
  /** Nobody is signed in any more. */
  left: () => void;
  failed: (code: string) => void;
}

/** Who is here, as the shop's page says. Two people who share a browser never see anything of each other. */
export class Identity {
  proof: Proof | undefined;
  /** Settles when the server has said where the person goes on. */
  pending: Promise<void> | undefined;

  constructor(private readonly options: IdentityOptions) {}

  /**
   * The conversation of one whom nobody knew becomes theirs; one of anybody else ends on this browser. What the server
   * refuses leaves nobody signed in.
   */
  identify(proof: Proof): Promise<void> {
    const { visits } = this.options;
    const who = whoIs(proof);
    const known = storedVisit(visits.known);
    if (known && known.who !== who) this.forget(visits.known);
    if (this.proof && whoIs(this.proof) !== who) this.leave();
    this.proof = proof;
    const work = (this.pending ?? Promise.resolve())
      .then(() => this.enter(who, proof))
      .finally(() => this.pending === work && (this.pending = undefined));
    return (this.pending = work);
  }

  logout(): void {
    this.forget(this.options.visits.anonymous);
    this.forget(this.options.visits.known);
    emptyOutbox(this.options.visit().session, lasting);
    this.leave();
  }

  /** The person has gone, maybe in another tab. */
  leave(): void {
    this.proof = this.options.visits.who = undefined;
    this.options.left();
  }

  private async enter(who: string, proof: Proof): Promise<void> {
    if (this.proof !== proof) return;
    const { shop, client, visits, visit, failed } = this.options;
    const before = visit();
    const known = storedVisit(visits.known);
    const token = before.token ?? (known?.who === who ? known.token : null);
    try {
      const found = await identified((bearer) => client(() => bearer), { ...proof, ...(shop && { shop }) }, token);
      if (this.isHere(who)) this.goOn(who, found, before);
    } catch (thrown) {
      if (this.proof !== proof) return;
      failed(failureFromThrown(thrown).code);
      this.leave();
    }
  }

  private isHere(who: string): boolean {
    return this.proof !== undefined && whoIs(this.proof) === who;
  }

  private goOn(who: string, found: Api.Identified, before: Visit): void {
    const { visits, goOn } = this.options;
    lasting.removeItem(visits.anonymous);
    visits.who = who;
    const { session_name: session, visitor_token: token, seq } = found;
    if (!session || !token) return goOn(before.token ? visits.fresh() : visits.signed(before));
    const visit = visits.given(session, token);
    if (session === before.session) {
      if (before.since !== undefined) visit.since = before.since;
    } else {
      visit.since = seq;
      visit.left = { session: before.session, token: before.token ?? "" };
    }
    visits.save(visit);
    goOn(visit);
  }

  /** Whoever comes next on this browser finds nothing of it, and a token that was copied opens nothing. */
  private forget(key: string): void {
    const visit = storedVisit(key);
    lasting.removeItem(key);
    if (!visit) return;
    emptyOutbox(visit.session, lasting);
    const { client, failed } = this.options;
    if (visit.token) signedOut(client(() => visit.token)).catch((thrown) => failed(failureFromThrown(thrown).code));
  }
}

/** The name by which this browser knows whose proof it is. What cannot be read is for the server to refuse. */
export function whoIs(proof: Proof): string {
  if (proof.identifier !== undefined) return proof.identifier;
  try {
    const payload = (proof.token ?? "").split(".")[1] ?? "";
    const bytes = Uint8Array.from(atob(payload.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
    const { sub } = JSON.parse(new TextDecoder().decode(bytes)) as { sub?: unknown };
    return String(sub);
  } catch {
    return "";
  }
}

/**
 * Where this person goes on, asked until the server answers; `token`: of the conversation in this browser until now.
 * Throws `ApiError` for a proof that is refused.
 */
async function identified(
  client: (token: string | null) => Client,
  body: Proof & { shop?: string },
  token: string | null,
): Promise<Api.Identified> {
  try {
    const { request } = client(token);
    const answer = await patiently(() => request<{ data: Api.Identified }>("/api/visitor/identify", { body }));
    return answer.data;
  } catch (thrown) {
    // It was somebody else's, and is closed to this browser now.
    if (token && failureFromThrown(thrown).code === "IDENTITY_DIFFERS") return await identified(client, body, null);
    throw thrown;
  }
}

/** The token opens nothing any more. One that opened nothing before is as good. */
async function signedOut({ request }: Client): Promise<void> {
  try {
    await patiently(() => request("/api/visitor/logout", { method: "POST", keepalive: true }), LAST_TRY);
  } catch (thrown) {
    if (!(thrown instanceof ApiError) || thrown.status !== 401) throw thrown;
  }
}

async function patiently<T>(ask: () => Promise<T>, tries = Infinity): Promise<T> {
  for (let n = 1; ; n++) {
    try {
      return await ask();
    } catch (thrown) {
      const { isTransient, retryAfterMs } = failureFromThrown(thrown);
      if (!isTransient || n >= tries) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, retryAfterMs ?? AGAIN_MS));
    }
  }
}
