import type { ChatEvent, ChatEvents, Listener } from "./types";

export class Emitter {
  readonly #listeners = new Map<string, Set<(detail: never) => void>>();

  on<Name extends ChatEvent>(name: Name, listener: Listener<Name>): () => void {
    const set = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, set.add(listener));
    return () => this.off(name, listener);
  }

  off<Name extends ChatEvent>(name: Name, listener?: Listener<Name>): void {
    if (listener) this.#listeners.get(name)?.delete(listener);
    else this.#listeners.delete(name);
  }

  clear(): void {
    this.#listeners.clear();
  }

  emit<Name extends ChatEvent>(name: Name, detail: ChatEvents[Name]): void {
    for (const listener of this.#listeners.get(name) ?? []) this.tell(listener as Listener<Name>, detail);
    dispatchEvent(new CustomEvent(`fiido-kefu:${name}`, { detail }));
  }

  tell<Name extends ChatEvent>(listener: Listener<Name>, detail: ChatEvents[Name]): void {
    try {
      listener(detail);
    } catch (thrown) {
      // The shop's bug stays visible, and its other listeners still hear.
      reportError(thrown);
    }
  }
}
