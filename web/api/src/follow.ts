import { Choice } from "./choice";
import type { Frame } from "./events";
import type { ApiError } from "./failure";
import type { Line, Transport } from "./line";
import { sse } from "./sse";

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
  token: string | (() => string | Promise<string>);
  /** Resume after this seq. */
  after?: number;
  onFrame: (frame: F) => void;
  onState?: (state: FollowState) => void;
  fetch?: typeof fetch;
  /** The best one first. */
  transports?: readonly Transport[];
  /** Shared by followers with the same transports. */
  choice?: Choice;
  timing?: Partial<FollowTiming>;
}

export interface FollowTiming {
  firstRetryMs: number;
  lastRetryMs: number;
  /** No byte for so long means the line is dead (the server sends a heartbeat every 15 s). */
  silenceMs: number;
  /** No byte for so long before `stream.ready` means that something on the way holds it back. */
  readyMs: number;
}

export interface Follower {
  /** The last `id` received. */
  readonly cursor: number;
  /** False, and nothing is said, where the line at this moment goes one way only. */
  say(frame: object): boolean;
  close(): void;
}

const TIMING: FollowTiming = { firstRetryMs: 500, lastRetryMs: 15_000, silenceMs: 40_000, readyMs: 6_000 };

/** Follows what happens for as long as it takes, over whatever gets through, and keeps its place. */
export function follow<F = Frame>(options: FollowOptions<F>): Follower {
  const stream = new FollowedStream(options);
  void stream.run();
  return stream;
}

class FollowedStream<F> implements Follower {
  cursor: number;
  private readonly timing: FollowTiming;
  private readonly transports: readonly Transport[];
  private readonly choice: Choice;
  private attempt = new AbortController();
  private watchdog: ReturnType<typeof setTimeout> | undefined;
  private speak: ((frame: object) => void) | undefined;
  private failures = 0;
  private lastByteAt = 0;
  private ready = false;
  private heldBack = false;
  private skipPause = false;
  private endPause: () => void = () => undefined;
  private closed = false;

  constructor(private readonly options: FollowOptions<F>) {
    this.cursor = options.after ?? 0;
    this.timing = { ...TIMING, ...options.timing };
    this.transports = options.transports ?? [sse];
    this.choice = options.choice ?? new Choice();
    globalThis.window?.addEventListener("online", this.wake);
    globalThis.document?.addEventListener("visibilitychange", this.wake);
  }

  async run(): Promise<void> {
    while (!this.closed) {
      this.options.onState?.({ phase: "connecting" });
      const refused = await this.connect();
      if (this.closed) return;
      if (refused) return this.end({ phase: "refused", error: refused });
      await this.pause(retryDelay(this.failures++, this.timing));
    }
  }

  say(frame: object): boolean {
    this.speak?.(frame);
    return this.speak !== undefined;
  }

  close(): void {
    if (!this.closed) this.end({ phase: "closed" });
  }

  private async connect(): Promise<ApiError | undefined> {
    this.attempt = new AbortController();
    this.ready = this.heldBack = false;
    const began = Date.now();
    let reached = true;
    this.feedWatchdog();
    try {
      return await this.transport(this.line());
    } catch {
      reached = this.heldBack;
      return undefined;
    } finally {
      clearTimeout(this.watchdog);
      this.attempt.abort();
      this.speak = undefined;
      const went = { reached, ready: this.ready, lastedMs: Date.now() - began };
      // What we ended ourselves says nothing.
      if (!this.closed && !this.skipPause) this.choice.after(went, this.transports.length);
    }
  }

  private get transport(): Transport {
    return this.transports[this.choice.current] ?? sse;
  }

  private line(): Line {
    const { url, token, fetch: send = fetch, onState } = this.options;
    const { signal } = this.attempt;
    return {
      url,
      cursor: this.cursor,
      signal,
      // Called as a method of the line, a browser's own would refuse.
      fetch: (input, init) => send(input, init),
      token: () => (typeof token === "string" ? token : token()),
      opened: () => void (this.closed || onState?.({ phase: "open" })),
      alive: () => this.feedWatchdog(),
      deliver: (frame, seq) => void (signal.aborted || this.deliver(frame, seq)),
      speaks: (say) => void (this.speak = signal.aborted ? undefined : say),
    };
  }

  private deliver(frame: string | object, seq = 0): void {
    this.failures = 0;
    this.cursor = Math.max(this.cursor, seq);
    try {
      this.pass((typeof frame === "string" ? JSON.parse(frame) : frame) as F & { type?: string });
    } catch (thrown) {
      // One bad frame must be seen, but must not end the stream: it would come again for ever.
      queueMicrotask(() => {
        throw thrown;
      });
    }
  }

  private pass(frame: F & { type?: string }): void {
    if (frame.type === "stream.ready") {
      this.ready = true;
      this.feedWatchdog();
    }
    this.options.onFrame(frame);
  }

  private feedWatchdog(): void {
    const { silenceMs, readyMs } = this.timing;
    this.lastByteAt = Date.now();
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(this.bark, this.ready ? silenceMs : Math.min(readyMs, silenceMs));
  }

  private readonly bark = (): void => {
    this.heldBack = !this.ready;
    this.attempt.abort();
  };

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
