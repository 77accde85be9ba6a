import { ref, shallowRef, triggerRef } from "vue";
import { type Counts, furthest, type Held, held, recounted, type Summary, upsert } from "./list";

const NONE: Counts = { bot_active: 0, pending_manual: 0, manual_live: 0, after_hours_email: 0, closed: 0 };

/** Every summary this browser knows, and how many sessions of each status the server has. */
export function createPool() {
  const sessions = shallowRef(new Map<string, Held>());
  const counts = ref<Counts>({ ...NONE });
  let stale = new Set<string>();

  /** Pages bring counts of their own; only live news changes them. Returns what was known before. */
  function receive(summary: Summary, isLive: boolean): Held | undefined {
    const before = sessions.value.get(summary.session_name);
    stale.delete(summary.session_name);
    if (!upsert(sessions.value, held(summary, Date.now()))) return before;
    if (isLive && before) counts.value = recounted(counts.value, before.status, summary.status);
    triggerRef(sessions);
    return before;
  }

  function read(name: string, readCount: number): void {
    const session = sessions.value.get(name);
    if (!session || (session.readCount ?? -1) >= readCount) return;
    sessions.value.set(name, { ...session, readCount: furthest(session.readCount, readCount) });
    triggerRef(sessions);
  }

  /** It is not for this agent's eyes any more; says whether it was known. */
  function forget(name: string): boolean {
    const known = sessions.value.get(name);
    if (!known) return false;
    sessions.value.delete(name);
    stale.delete(name);
    counts.value = { ...counts.value, [known.status]: Math.max(0, counts.value[known.status] - 1) };
    triggerRef(sessions);
    return true;
  }

  /** From here on, what is not heard of again before `sweep` may have changed unseen. */
  function mark(): void {
    stale = new Set(sessions.value.keys());
  }

  function sweep(): void {
    for (const name of stale) sessions.value.delete(name);
    stale.clear();
    triggerRef(sessions);
  }

  return { sessions, counts, receive, read, forget, mark, sweep };
}

export type Pool = ReturnType<typeof createPool>;
