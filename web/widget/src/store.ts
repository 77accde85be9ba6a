/**
 * A browser's storage, with the page's memory for what it refuses: all of it in a frame of another site, or what there is
 * no room for. That lasts as long as the page.
 */
class Kept implements Storage {
  private readonly memory = new Map<string, string>();

  constructor(private readonly storage: Storage | undefined) {}

  get length(): number {
    return this.keys().length;
  }

  key(index: number): string | null {
    return this.keys()[index] ?? null;
  }

  getItem(key: string): string | null {
    return this.memory.get(key) ?? this.storage?.getItem(key) ?? null;
  }

  setItem(key: string, value: string): void {
    this.memory.set(key, value);
    try {
      if (!this.storage) return;
      this.storage.setItem(key, value);
      this.memory.delete(key);
    } catch {
      // No room: it stays in memory.
    }
  }

  removeItem(key: string): void {
    this.memory.delete(key);
    this.storage?.removeItem(key);
  }

  clear(): void {
    this.memory.clear();
    this.storage?.clear();
  }

  /** Whether something under such a key is gone with the page. */
  forgets(prefix: string): boolean {
    return [...this.memory.keys()].some((key) => key.startsWith(prefix));
  }

  private keys(): string[] {
    const { storage } = this;
    const stored = Array.from({ length: storage?.length ?? 0 }, (_, index) => storage?.key(index) ?? "");
    return [...new Set([...stored, ...this.memory.keys()])];
  }
}

function kept(storage: () => Storage): Kept {
  try {
    const found = storage();
    found.getItem("");
    return new Kept(found);
  } catch {
    return new Kept(undefined);
  }
}

/** Shared by the tabs of this browser, and kept. */
export const lasting = kept(() => localStorage);
/** This tab's own; outlives a reload. */
export const ofThisTab = kept(() => sessionStorage);
