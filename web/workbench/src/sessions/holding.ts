import type { Outbox, OutboxEntry } from "@kefu/api";
import { shallowRef } from "vue";

/** How long a message can be taken back. */
export const HOLD_MS = 5_000;
/** Nobody takes back what is about to leave: so much later it is sent. */
const GRACE_MS = 250;

/**
 * Lets a message wait before it is sent. It waits in the outbox, with the id it will have: a page that dies leaves it
 * there, and the next one, or another tab, sends it when its time has come. Only the page that wrote it takes it back.
 */
export class Holding {
  /** What can be taken back now. */
  readonly entry = shallowRef<OutboxEntry>();
  private closing: ReturnType<typeof setTimeout> | undefined;
  private wake: () => void = () => undefined;

  /** `outbox`: as all tabs have it. */
  constructor(private readonly outbox: () => Outbox) {}

  begin(entry: OutboxEntry): void {
    this.entry.value = entry;
    this.closing = setTimeout(() => this.close(), leftOf(entry));
  }

  /** Whether it shall be sent; waits until that is known. */
  async isOver(entry: OutboxEntry): Promise<boolean> {
    const left = leftOf(entry);
    await (left > 0 ? this.pause(left + GRACE_MS) : undefined);
    return this.outbox().entries().some(({ client_msg_id }) => client_msg_id === entry.client_msg_id);
  }

  /** Nothing can be taken back any longer, and all is sent at once; also by the page that comes after this one. */
  release(): void {
    this.close();
    for (const entry of this.outbox().entries()) {
      if (leftOf(entry) > 0) this.outbox().retry(entry.client_msg_id, { held_until: 0 });
    }
    this.wake();
  }

  private close(): void {
    clearTimeout(this.closing);
    this.entry.value = undefined;
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Milliseconds. A clock that was set back must not keep it for hours. */
function leftOf({ held_until = 0 }: OutboxEntry): number {
  const left = held_until - Date.now();
  return left > HOLD_MS ? 0 : left;
}
