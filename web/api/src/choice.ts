/** How one attempt went. */
export interface Attempt {
  /** Somebody answered; if not, no transport would have done better. */
  reached: boolean;
  /** All that was missed had come before it ended. */
  ready: boolean;
  lastedMs: number;
}

/** Failures in a row until the next transport has its turn. */
const PATIENCE = 2;
/** A line that ends sooner is no good, whatever came on it. */
const BRIEF_MS = 3_000;
/** After so long a broken line is taken as the occasion to see whether the best one works now. */
const FORGIVE_MS = 5 * 60_000;

/**
 * Which transport to take, the best one first. One that fails again and again, as behind a proxy that holds streams
 * back, gives way to the next. Followers of one page share it, so that only one has to find out.
 */
export class Choice {
  current = 0;
  private failures = 0;
  private since = Date.now();

  constructor(private readonly briefMs = BRIEF_MS) {}

  after({ reached, ready, lastedMs }: Attempt, count: number): void {
    if (!reached) {
      if (this.current > 0) this.take(0);
      return;
    }
    this.failures = ready && lastedMs >= this.briefMs ? 0 : this.failures + 1;
    if (this.failures >= PATIENCE) this.take((this.current + 1) % count);
    else if (this.current > 0 && Date.now() - this.since > FORGIVE_MS) this.take(0);
  }

  /** The first, when it is tried again, gets one try. */
  private take(next: number): void {
    this.failures = next === 0 ? PATIENCE - 1 : 0;
    this.current = next;
    this.since = Date.now();
  }
}
