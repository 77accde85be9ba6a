import { createParser, type EventSourceMessage } from "eventsource-parser";
import { type ApiError, failureFrom } from "./failure";
import type { Frame } from "./events";

export type FollowState =
  | { phase: "connecting" }
  | { phase: "open" }
  /** Broken off; tries again in `retryInMs`, or at once when the network or the tab comes back. */
  | { phase: "waiting"; retryInMs: number }
  /** 401, 403 or 404: trying again would change nothing, so it has stopped. */
  | { phase: "refused"; error: ApiError }
  | { phase: "closed" };

export interface FollowOptions<F> {
  url: string;
  token: string | (() => string);
  /** Resume after this seq. */
  after?: number;
  onFrame: (frame: F) => void;
  onState?: (state: FollowState) => void;
  fetch?: typeof fetch;
  timing?: Partial<FollowTiming>;
}

export interface FollowTiming {
  firstRetryMs: number;
  lastRetryMs: number;
  /** No byte for so long means the line is dead (the server sends a heartbeat every 15 s). */
  silenceMs: number;
}

export interface Follower {
  /** The last `id` received. */
  readonly cursor: number;
  close(): void;
}

const TIMING: FollowTiming = { firstRetryMs: 500, lastRetryMs: 15_000, silenceMs: 40_000 };
const FINAL = new Set([401, 403, 404]);

/** Follows an event stream for as long as it takes. Unlike EventSource it sends a token and keeps its place. */
export function follow<F = Frame>(options: FollowOptions<F>): Follower {
  const stream = new FollowedStream(options);
  void stream.run();
  return stream;
}

class FollowedStream<F> implements Follower {
  cursor: number;
  private readonly timing: FollowTiming;
  private attempt = new AbortController();
  private watchdog: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  private lastByteAt = 0;
  private skipPause = false;
  private endPause: () => void = () => undefined;
  private closed = false;

  constructor(private readonly options: FollowOptions<F>) {
    this.cursor = options.after ?? 0;
    this.timing = { ...TIMING, ...options.timing };
    globalThis.window?.addEventListener("online", this.wake);
    globalThis.document?.addEventListener("visibilitychange", this.wake);
  }

  async run(): Promise<void> {
    while (!this.closed) {
      this.options.onState?.({ phase: "connecting" });
      const refused = await this.connect().catch(() => undefined);
      if (this.closed) return;
      if (refused) return this.end({ phase: "refused", error: refused });
      await this.pause(retryDelay(this.failures++, this.timing));
    }
  }

  close(): void {
    if (!this.closed) this.end({ phase: "closed" });
  }

  private async connect(): Promise<ApiError | undefined> {
    this.attempt = new AbortController();
    this.feedWatchdog();
    try {
      const response = await (this.options.fetch ?? fetch)(this.options.url, this.request());
      if (FINAL.has(response.status)) return await failureFrom(response);
      if (response.ok && response.body) await this.read(response.body);
      return undefined;
    } finally {
      clearTimeout(this.watchdog);
      this.attempt.abort();
    }
  }

  private request(): RequestInit {
    const { token } = this.options;
    const headers = new Headers({ Accept: "text/event-stream" });
    headers.set("Authorization", `Bearer ${typeof token === "string" ? token : token()}`);
    if (this.cursor > 0) headers.set("Last-Event-ID", String(this.cursor));
    return { headers, cache: "no-store", signal: this.attempt.signal };
  }

  private async read(body: ReadableStream<Uint8Array>): Promise<void> {
    this.options.onState?.({ phase: "open" });
    const decoder = new TextDecoder();
    const parser = createParser({ onEvent: (event) => this.deliver(event) });
    const reader = body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || this.closed) return;
      this.feedWatchdog();
      parser.feed(decoder.decode(value, { stream: true }));
    }
  }

  private deliver({ id, data }: EventSourceMessage): void {
    if (this.closed) return;
    this.failures = 0;
    if (id) this.cursor = Math.max(this.cursor, Number(id));
    try {
      this.options.onFrame(JSON.parse(data) as F);
    } catch (thrown) {
      // One bad frame must be seen, but must not end the stream: it would come again for ever.
      queueMicrotask(() => {
        throw thrown;
      });
    }
  }

  private feedWatchdog(): void {
    this.lastByteAt = Date.now();
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => this.attempt.abort(), this.timing.silenceMs);
  }

  private pause(retryInMs: number): Promise<void> {
    if (this.skipPause) {
      this.skipPause = false;
      return Promise.resolve();
    }
    this.options.onState?.({ phase: "waiting", retryInMs });
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, retryInMs);
      this.endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** After sleep a dead line looks open until the watchdog barks; half its patience is enough then. */
  private readonly wake = (): void => {
    if (globalThis.document?.visibilityState === "hidden") return;
    if (Date.now() - this.lastByteAt > this.timing.silenceMs / 2) {
      this.skipPause = !this.attempt.signal.aborted;
      this.attempt.abort();
    }
    this.endPause();
  };

  private end(state: FollowState): void {
    this.closed = true;
    this.attempt.abort();
    this.endPause();
    globalThis.window?.removeEventListener("online", this.wake);
    globalThis.document?.removeEventListener("visibilitychange", this.wake);
    this.options.onState?.(state);
  }
}

/** Doubles up to the cap; the jitter keeps a restarted server from meeting everybody at once. */
function retryDelay(failures: number, { firstRetryMs, lastRetryMs }: FollowTiming): number {
  const ceiling = Math.min(lastRetryMs, firstRetryMs * 2 ** failures);
  return Math.round(ceiling * (0.5 + Math.random() / 2));
}
