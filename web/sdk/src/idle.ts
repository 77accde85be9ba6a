/** Does the work once when the browser has nothing better to do, at the latest after `timeout` ms; returns what calls it off. */
export function whenIdle(work: () => void, timeout: number): () => void {
  // Safari has no requestIdleCallback.
  if (!("requestIdleCallback" in globalThis)) {
    const timer = setTimeout(work, Math.min(timeout, 3_000));
    return () => clearTimeout(timer);
  }
  const handle = requestIdleCallback(work, { timeout });
  return () => cancelIdleCallback(handle);
}
