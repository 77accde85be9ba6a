/** Stands in where the browser refuses a frame of another site its storage: the talk then lasts as long as the page. */
class MemoryStorage implements Storage {
  private readonly values = new Map<string, string>();

  get length(): number {
    return this.values.size;
  }

  key(index: number): string | null {
    return [...this.values.keys()][index] ?? null;
  }

  getItem(key: string): string | null {
    return this.values.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    this.values.set(key, value);
  }

  removeItem(key: string): void {
    this.values.delete(key);
  }

  clear(): void {
    this.values.clear();
  }
}

function usable(storage: () => Storage): Storage {
  try {
    const found = storage();
    found.setItem("kefu.probe", "");
    found.removeItem("kefu.probe");
    return found;
  } catch {
    return new MemoryStorage();
  }
}

/** Shared by the tabs of this browser, and kept. */
export const lasting = usable(() => localStorage);
/** This tab's own; outlives a reload. */
export const ofThisTab = usable(() => sessionStorage);
