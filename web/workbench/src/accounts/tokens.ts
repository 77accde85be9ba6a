import { type Api, ApiError } from "@kefu/api";

/** What the server hands out at sign-in and at every renewal. `expires_in` in seconds. */
export type Grant = Pick<Api.GrantOut, "token" | "refresh_token" | "expires_in">;

interface Held {
  access: string;
  refresh: string;
  /** Milliseconds since the epoch, by this machine's clock. */
  expiresAt: number;
}

interface TokenKeeperOptions {
  exchange: (refreshToken: string) => Promise<Grant>;
  /** Signed in or out: here, in another tab, or by the server. */
  onChange: (signedIn: boolean) => void;
  /** Shared by all tabs, survives the browser: "keep me signed in". */
  local: Storage;
  /** This tab only. */
  session: Storage;
  locks?: LockManager | undefined;
}

const KEY = "kefu.tokens";
const TAB_KEY = "kefu.tab";
const RENEWAL_LOCK = "kefu.tokens.renewal";
const MARGIN_MS = 60_000;

/**
 * A refresh token works once; using it again, later than a moment after, revokes all its successors. So tabs renew one
 * at a time, and each looks first whether another has done it already.
 */
export class TokenKeeper {
  private held: Held | null = null;
  private renewing: Promise<string> | null = null;

  constructor(private readonly options: TokenKeeperOptions) {}

  /** Takes up what an earlier page of this browser left. */
  async open(): Promise<void> {
    const { session } = this.options;
    if (session.getItem(KEY) && !(await this.isFirstHolder())) {
      session.removeItem(KEY);
      session.removeItem(TAB_KEY);
    }
    this.held = this.read();
    globalThis.addEventListener("storage", this.onStorage);
    this.options.onChange(this.held !== null);
  }

  get refreshToken(): string | null {
    return this.held?.refresh ?? null;
  }

  keep(grant: Grant, remember: boolean): void {
    const { local, session } = this.options;
    this.held = {
      access: grant.token,
      refresh: grant.refresh_token,
      expiresAt: Date.now() + grant.expires_in * 1000,
    };
    (remember ? local : session).setItem(KEY, JSON.stringify(this.held));
    (remember ? session : local).removeItem(KEY);
    if (!remember) void this.isFirstHolder();
    this.options.onChange(true);
  }

  /** As `keep`, in the place where the tokens are already. */
  replace(grant: Grant): void {
    this.keep(grant, this.options.local.getItem(KEY) !== null);
  }

  /** Have the server end all tokens for new ones. Tabs that are told of the end before we know the new ones wait here. */
  async exchanged(ask: (access: string) => Promise<Grant>): Promise<void> {
    const access = await this.access();
    await this.locked(async () => this.replace(await ask(access)));
  }

  drop(): void {
    this.clear();
    this.options.onChange(false);
  }

  /** An access token that will live long enough for a request. */
  async access(): Promise<string> {
    if (!this.held) throw signedOut();
    const { access, expiresAt } = this.held;
    return expiresAt - MARGIN_MS > Date.now() ? access : this.renew(access);
  }

  /** A token other than `refused`. Callers at the same time share one exchange. */
  renew(refused: string): Promise<string> {
    this.renewing ??= this.locked(() => this.exchange(refused)).finally(() => {
      this.renewing = null;
    });
    return this.renewing;
  }

  private async exchange(refused: string): Promise<string> {
    const held = this.read();
    if (!held) throw signedOut();
    if (held.access !== refused) return this.take(held);
    try {
      const grant = await this.options.exchange(held.refresh);
      // Signed out meanwhile: the new tokens must not bring the session back.
      const now = this.read();
      if (!now) throw signedOut();
      // Another tab had renewed, but the browser showed it to this one only now.
      if (now.refresh !== held.refresh) return this.take(now);
      this.replace(grant);
      return grant.token;
    } catch (thrown) {
      if (thrown instanceof ApiError && (thrown.status === 401 || thrown.status === 403)) this.drop();
      throw thrown;
    }
  }

  private take(held: Held): string {
    this.held = held;
    return held.access;
  }

  private read(): Held | null {
    const stored = this.options.session.getItem(KEY) ?? this.options.local.getItem(KEY);
    return stored ? (JSON.parse(stored) as Held) : null;
  }

  private clear(): void {
    this.held = null;
    this.options.session.removeItem(KEY);
    this.options.local.removeItem(KEY);
  }

  private locked<T>(work: () => Promise<T>): Promise<T> {
    // Plain http on a foreign host has no locks; there, one tab at a time is all that is safe.
    return this.options.locks ? this.options.locks.request(RENEWAL_LOCK, work) : work();
  }

  /**
   * "Duplicate tab" copies sessionStorage, and the copy would renew the original's token. The original holds this
   * lock as long as it lives.
   */
  private isFirstHolder(): Promise<boolean> {
    const { locks, session } = this.options;
    if (!locks) return Promise.resolve(true);
    const tab = session.getItem(TAB_KEY) ?? String(Math.random());
    session.setItem(TAB_KEY, tab);
    return new Promise((resolve) => {
      void locks.request(`${TAB_KEY}.${tab}`, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock ? new Promise<never>(() => undefined) : undefined;
      });
    });
  }

  private readonly onStorage = (event: StorageEvent): void => {
    if (event.storageArea !== this.options.local || (event.key !== KEY && event.key !== null)) return;
    const before = this.held !== null;
    this.held = this.read();
    if (before !== (this.held !== null)) this.options.onChange(!before);
  };
}

function signedOut(): ApiError {
  return new ApiError(401, "TOKEN_REQUIRED", "");
}
