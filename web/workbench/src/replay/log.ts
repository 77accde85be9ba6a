import { type ApiError, failureFromThrown, type LogEvent } from "@kefu/api";
import { onScopeDispose, ref, shallowRef } from "vue";
import { request } from "../accounts/client";

interface Page {
  data: { events: LogEvent[]; seq: number };
}

/** A session's whole log as this agent may read it, asked for page by page without following it. */
export function useLog(session: string) {
  const events = shallowRef<readonly LogEvent[]>([]);
  const failure = shallowRef<ApiError>();
  const isWhole = ref(false);
  /** How many are here while more is on its way. */
  const read = ref(0);
  const path = `/api/sessions/${encodeURIComponent(session)}/events`;
  const gone = new AbortController();
  onScopeDispose(() => gone.abort());

  /** From where it was left: also what has come since. */
  async function load(): Promise<void> {
    [isWhole.value, failure.value] = [false, undefined];
    const known = [...events.value];
    try {
      for (let page = await next(known); page.length; page = await next(known)) {
        known.push(...page);
        read.value = known.length;
      }
      isWhole.value = true;
    } catch (thrown) {
      if (!gone.signal.aborted) failure.value = failureFromThrown(thrown);
    }
    events.value = known;
  }

  async function next(known: readonly LogEvent[]): Promise<LogEvent[]> {
    const query = { after: known.at(-1)?.seq ?? 0, wait: 0 };
    return (await request<Page>(path, { query, signal: gone.signal })).data.events;
  }

  void load();
  return { events, failure, isWhole, read, load };
}
