import { useThrottleFn } from "@vueuse/core";
import { ref, shallowRef, triggerRef } from "vue";
import { type Counts, furthest, type Held, held, recounted, type Summary, upsert } from "./list";

/** In a flood of news lists are put in order anew no more often than this. */
const CALM_MS = 100;
const NONE: Counts = { waiting: 0, unassigned: 0, mine: 0, later: 0, bot: 0, closed: 0, all: 0 };

/** Every summary this browser knows, and how many sessions of each tab the server has. */
export function createPool(agentId: { readonly value: string }) {
  const sessions = shallowRef(new Map<string, Held>());
  const counts = ref<Counts>({ ...NONE });
  let stale = new Set<string>();
  const show = () => triggerRef(sessions);
  const showSoon = useThrottleFn(show, CALM_MS, true);

  /** Pages bring counts of their own; only live news changes them. Returns what was known before. */
  function receive(summary: Summary, isLive: boolean): Held | undefined {
    const before = sessions.value.get(summary.session_name);
    stale.delete(summary.session_name);
    if (!upsert(sessions.value, held(summary, Date.now()))) return before;
    if (isLive && before) counts.value = recounted(counts.value, before, summary, agentId.value);
    void showSoon();
    return before;
  }

  function read(name: string, readCount: number): void {
    const session = sessions.value.get(name);
    if (!session || (session.readCount ?? -1) >= readCount) return;
    sessions.value.set(name, { ...session, readCount: furthest(session.readCount, readCount) });
    void showSoon();
  }

  /** It is not for this agent's eyes any more; says whether it was known. */
  function forget(name: string): boolean {
    const known = sessions.value.get(name);
    if (!known) return false;
    sessions.value.delete(name);
    stale.delete(name);
    counts.value = recounted(counts.value, known, null, agentId.value);
    show();
    return true;
  }

  /** From here on, what is not heard of again before `sweep` may have changed unseen. */
  function mark(): void {
    stale = new Set(sessions.value.keys());
  }

  function sweep(): void {
    for (const name of stale) sessions.value.delete(name);
    stale.clear();
    show();
  }

  return { sessions, counts, receive, read, forget, mark, sweep, show };
}

export type Pool = ReturnType<typeof createPool>;
