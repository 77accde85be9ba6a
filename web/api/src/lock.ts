/** One tab at a time. On an insecure origin there are no locks: work there must also be safe without. */
export async function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  const locks = globalThis.navigator?.locks;
  return locks ? await locks.request(name, work) : await work();
}
