import { useDocumentVisibility, useEventListener } from "@vueuse/core";
import { defineStore } from "pinia";
import { computed, shallowRef, watch } from "vue";
import { Thread } from "./thread";

/** So many conversations open at once when chosen again. */
const KEPT = 40;
/** As `Outbox` writes them: session, order, message. */
const OUTBOX_KEY = /^kefu\.outbox\.(.+)\.\d+\.[^.]+$/;
/** A browser grants few connections to one server: hidden tabs give theirs back. */
const HIDDEN_GRACE_MS = 60_000;

export const useThreads = defineStore("threads", () => {
  // Insertion order is the order of use: the first is the one to let go.
  const kept = new Map<string, Thread>();
  const current = shallowRef<Thread>();

  function open(name: string): void {
    if (current.value?.name === name) return;
    leave();
    const thread = kept.get(name) ?? new Thread(name);
    kept.delete(name);
    kept.set(name, thread);
    forgetOldest();
    current.value = thread;
    thread.resume();
  }

  function leave(): void {
    current.value?.leave();
    current.value = undefined;
  }

  /** What was still being sent when the page was left goes out now, without opening its conversation. */
  function sendLeftovers(): void {
    for (const key of Object.keys(localStorage)) {
      const name = OUTBOX_KEY.exec(key)?.[1];
      if (name && !kept.has(name)) kept.set(name, new Thread(name));
    }
  }

  function forgetOldest(): void {
    const oldest = [...kept.values()].find((thread) => thread.state.value.pending.length === 0);
    if (kept.size <= KEPT || !oldest) return;
    oldest.close();
    kept.delete(oldest.name);
  }

  function forgetAll(): void {
    leave();
    for (const thread of kept.values()) thread.close();
    kept.clear();
  }

  rest(current);
  useEventListener(window, "pagehide", () => kept.forEach((thread) => thread.leavePage()));
  const deliver = (name?: string) => delivered([...kept.values()].filter((thread) => !name || thread.name === name));
  return { deliver, current: computed(() => current.value), open, leave, sendLeftovers, forgetAll };
});

/** Before what was said last is with the server nothing is done to a session, and nobody goes. */
async function delivered(threads: readonly Thread[]): Promise<void> {
  await Promise.all(threads.map((thread) => thread.deliver()));
}

function rest(current: { value: Thread | undefined }): void {
  const visibility = useDocumentVisibility();
  let timer: ReturnType<typeof setTimeout> | undefined;
  watch(visibility, (now) => {
    clearTimeout(timer);
    if (now === "visible") current.value?.resume();
    else timer = setTimeout(() => current.value?.pause(), HIDDEN_GRACE_MS);
  });
}
