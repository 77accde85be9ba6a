/**
 * One tab at a time, as far as the browser lets: work there must also be safe without. There are no locks on an insecure
 * origin; they are refused where storage is; and a tab that sleeps keeps the one it has. `patienceMs`: how long to wait for
 * another tab, for ever if it is not given.
 */
export async function withLock<T>(name: string, work: () => Promise<T>, patienceMs?: number): Promise<T> {
  const locks = globalThis.navigator?.locks;
  if (!locks) return await work();
  let begun = false;
  const signal = patienceMs === undefined ? undefined : AbortSignal.timeout(patienceMs);
  try {
    return await locks.request(name, signal ? { signal } : {}, () => {
      begun = true;
      return work();
    });
  } catch (thrown) {
    if (begun) throw thrown;
    return await work();
  }
}
