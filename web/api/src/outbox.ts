import { type ApiError, failureFromThrown } from "./failure";
import type { FileRef } from "./files";
import { withLock } from "./lock";

export interface OutboxEntry {
  client_msg_id: string;
  content: string;
  /** Sent up already, so that no repeat sends them up again. */
  files?: readonly FileRef[];
  /** How far its writer had read. */
  seen?: number;
  /** The revision of the draft that it was, and is no more. */
  draft?: number;
  /** The proposed reply that it was made from. */
  suggestion?: string;
  /** To be sent though there is more to read. */
  force?: boolean;
  /** Until then its writer may take it back, in Unix milliseconds. */
  held_until?: number;
  /** Set when the server refused it for good; it stays until retried or removed. */
  failed?: { status: number; code: string; message: string };
}

export interface OutboxOptions {
  session: string;
  send: (entry: OutboxEntry) => Promise<unknown>;
  /** Called with all entries, oldest first, whenever they change here or in another tab. */
  onChange: (entries: readonly OutboxEntry[]) => void;
  onFailed?: (entry: OutboxEntry, error: ApiError) => void;
  /** Whether the server has said that too much came at once; what waits is sent by itself when it may be. */
  onHeld?: (held: boolean) => void;
  storage?: Storage;
  timing?: Partial<OutboxTiming>;
}

export interface OutboxTiming {
  firstRetryMs: number;
  lastRetryMs: number;
  /** How long another tab may hold the lock; it may be asleep. Two that send at once send the same, which is stored once. */
  lockMs: number;
}

const TIMING: OutboxTiming = { firstRetryMs: 500, lastRetryMs: 15_000, lockMs: 4_000 };

export function newClientMsgId(): string {
  // randomUUID exists only on secure origins; a shop's test page may be plain http.
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What was written in the session and not sent is nobody's any more. */
export function emptyOutbox(session: string, storage: Storage): void {
  for (const key of keysOf(storage, `kefu.outbox.${session}.`)) storage.removeItem(key);
}

function keysOf(storage: Storage, prefix: string): string[] {
  const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? "");
  return keys.filter((key) => key.startsWith(prefix)).sort();
}

/**
 * What the user wrote and the server has not acknowledged. Each entry has its own storage key, so two tabs never
 * overwrite each other's; the tab that holds the lock sends, strictly in order, until each is stored or refused.
 */
export class Outbox {
  private readonly prefix: string;
  private readonly storage: Storage;
  private readonly timing: OutboxTiming;
  private lastKeyAt = 0;
  private draining = false;
  private closed = false;
  private endPause: () => void = () => undefined;

  constructor(private readonly options: OutboxOptions) {
    this.prefix = `kefu.outbox.${options.session}.`;
    this.storage = options.storage ?? localStorage;
    this.timing = { ...TIMING, ...options.timing };
    globalThis.window?.addEventListener("storage", this.onStorage);
    globalThis.window?.addEventListener("online", this.wake);
    globalThis.document?.addEventListener("visibilitychange", this.wake);
    if (this.keys().length > 0) this.changed();
  }

  entries(): OutboxEntry[] {
    return this.keys().flatMap((key) => this.read(key) ?? []);
  }

  add(content: string, more: Pick<OutboxEntry, "files" | "seen" | "draft" | "suggestion" | "held_until"> = {}): OutboxEntry {
    const entry: OutboxEntry = { client_msg_id: newClientMsgId(), content, ...more };
    this.storage.setItem(`${this.prefix}${this.nextOrder()}.${entry.client_msg_id}`, JSON.stringify(entry));
    this.changed();
    return entry;
  }

  retry(clientMsgId: string, change: Pick<OutboxEntry, "force" | "held_until"> = {}): void {
    for (const key of this.keys()) {
      const entry = this.read(key);
      if (entry?.client_msg_id !== clientMsgId) continue;
      this.storage.setItem(key, JSON.stringify({ ...entry, ...change, failed: undefined }));
    }
    this.changed();
  }

  remove(clientMsgId: string): void {
    for (const key of this.keys()) {
      if (this.read(key)?.client_msg_id === clientMsgId) this.storage.removeItem(key);
    }
    this.changed();
  }

  /** Stops sending; what is left stays stored for the next outbox of this session. */
  close(): void {
    this.closed = true;
    this.endPause();
    globalThis.window?.removeEventListener("storage", this.onStorage);
    globalThis.window?.removeEventListener("online", this.wake);
    globalThis.document?.removeEventListener("visibilitychange", this.wake);
  }

  private keys(): string[] {
    return keysOf(this.storage, this.prefix);
  }

  /** Behind all that waits, whatever the clock of this tab or of the one that wrote it says. */
  private nextOrder(): string {
    const last = this.keys().at(-1)?.slice(this.prefix.length).split(".")[0];
    this.lastKeyAt = Math.max(Date.now(), this.lastKeyAt + 1, Number(last ?? 0) + 1);
    return String(this.lastKeyAt).padStart(15, "0");
  }

  private read(key: string): OutboxEntry | undefined {
    const stored = this.storage.getItem(key);
    return stored === null ? undefined : (JSON.parse(stored) as OutboxEntry);
  }

  private changed(): void {
    this.options.onChange(this.entries());
    void this.drain();
  }

  private async drain(): Promise<void> {
    if (this.draining) return;
    this.draining = true;
    try {
      await withLock(this.prefix, () => this.sendAll(), this.timing.lockMs);
    } finally {
      this.draining = false;
    }
    if (!this.closed && this.nextKey() !== undefined) void this.drain();
  }

  private async sendAll(): Promise<void> {
    let failures = 0;
    for (let key = this.nextKey(); key !== undefined && !this.closed; key = this.nextKey()) {
      const waitMs = await this.sendOne(key);
      failures = waitMs === undefined ? 0 : failures + 1;
      if (waitMs !== undefined) await this.pause(Math.max(waitMs, this.backoff(failures)));
    }
  }

  private nextKey(): string | undefined {
    return this.keys().find((key) => !this.read(key)?.failed);
  }

  /** Resolves to the least wait before the same entry is tried again; undefined when it is dealt with. */
  private async sendOne(key: string): Promise<number | undefined> {
    const entry = this.read(key);
    if (!entry) return undefined;
    try {
      await this.options.send(entry);
    } catch (thrown) {
      const error = failureFromThrown(thrown);
      this.options.onHeld?.(error.status === 429);
      if (error.isTransient) return error.retryAfterMs ?? 0;
      this.fail(key, entry, error);
      return undefined;
    }
    this.storage.removeItem(key);
    if (this.closed) return undefined;
    this.options.onHeld?.(false);
    this.options.onChange(this.entries());
    return undefined;
  }

  private fail(key: string, entry: OutboxEntry, error: ApiError): void {
    const failed = { status: error.status, code: error.code, message: error.message };
    this.storage.setItem(key, JSON.stringify({ ...entry, failed }));
    if (this.closed) return;
    this.options.onChange(this.entries());
    this.options.onFailed?.(entry, error);
  }

  private backoff(failures: number): number {
    const ceiling = Math.min(this.timing.lastRetryMs, this.timing.firstRetryMs * 2 ** (failures - 1));
    return ceiling * (0.5 + Math.random() / 2);
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private readonly wake = (): void => {
    if (globalThis.document?.visibilityState !== "hidden") this.endPause();
  };

  private readonly onStorage = (event: StorageEvent): void => {
    if (event.key?.startsWith(this.prefix)) this.changed();
  };
}
