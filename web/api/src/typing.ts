import type { Typing } from "./events";
import { actorKey } from "./fold";

const EXPIRY_MS = 6_000;

/**
 * "Stopped typing" may be lost, so a mark lives six seconds. Give every typing frame to `seen`; `onExpired` gets
 * the frame that ends the mark, to be folded like any other.
 */
export function expiringTyping(onExpired: (frame: Typing) => void, expiryMs = EXPIRY_MS) {
  const timers = new Map<string, ReturnType<typeof setTimeout>>();

  function seen({ type, actor, active }: Typing): void {
    const key = actorKey(actor);
    clearTimeout(timers.get(key));
    timers.delete(key);
    if (active) timers.set(key, setTimeout(() => onExpired({ type, actor, active: false }), expiryMs));
  }

  function close(): void {
    for (const timer of timers.values()) clearTimeout(timer);
    timers.clear();
  }

  return { seen, close };
}
