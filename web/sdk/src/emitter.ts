import type { ToHost } from "./protocol";

type Told<Type extends ToHost["type"]> = Omit<Extract<ToHost, { type: Type }>, "type">;

export interface ChatEvents {
  ready: Record<string, never>;
  open: Record<string, never>;
  close: Record<string, never>;
  unread: Told<"unread">;
  message: Told<"message">;
  status: Told<"status">;
  conversation: Told<"conversation">;
  error: Told<"error">;
}

export type Listener<Name extends keyof ChatEvents> = (detail: ChatEvents[Name]) => void;

export class Emitter {
  private readonly listeners = new Map<string, Set<(detail: never) => void>>();

  on<Name extends keyof ChatEvents>(name: Name, listener: Listener<Name>): () => void {
    const set = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, set.add(listener));
    return () => this.off(name, listener);
  }

  off<Name extends keyof ChatEvents>(name: Name, listener?: Listener<Name>): void {
    if (listener) this.listeners.get(name)?.delete(listener);
    else this.listeners.delete(name);
  }

  emit<Name extends keyof ChatEvents>(name: Name, detail: ChatEvents[Name]): void {
    for (const listener of this.listeners.get(name) ?? []) {
      try {
        listener(detail as never);
      } catch (thrown) {
        // The shop's bug stays visible, and its other listeners still hear.
        reportError(thrown);
      }
    }
  }
}
