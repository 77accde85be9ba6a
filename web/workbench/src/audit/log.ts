import { type Api, type ApiError, failureFromThrown, keepFile } from "@kefu/api";
import { reactive } from "vue";
import { file, request } from "../accounts/client";

export type Entry = Api.EntryOut;

/** As they stand in the address: an object is `type:id`, days are `2026-11-27` where the reader is. */
export interface Filters {
  actor: string;
  action: string;
  object: string;
  from: string;
  until: string;
  q: string;
}

const MAKING_MS = 120_000;

/** What the API is asked for; what is empty is left out. */
export function queryOf({ actor, action, object, from, until, q }: Filters) {
  const [type, ...id] = object.split(":");
  const time_start = from ? new Date(`${from}T00:00`).getTime() / 1000 : undefined;
  const time_end = until ? new Date(`${until}T23:59:59.999`).getTime() / 1000 : undefined;
  const asked = { actor, action, object_type: type, object_id: id.join(":"), time_start, time_end, q };
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value)) as Partial<typeof asked>;
}

/** The log by some filters, and how far it has been read. Asking anew lets the old answer go. */
export function createLog() {
  const state = reactive({
    entries: [] as Entry[],
    hasMore: false,
    loading: false,
    failure: null as ApiError | null,
  });
  let cursor: string | null = null;
  let asked: Partial<ReturnType<typeof queryOf>> = {};
  let running = new AbortController();

  function ask(filters: Filters): void {
    running.abort();
    running = new AbortController();
    cursor = null;
    asked = queryOf(filters);
    Object.assign(state, { entries: [], hasMore: true, loading: false, failure: null });
    void more();
  }

  async function more(): Promise<void> {
    if (state.loading || !state.hasMore) return;
    const { signal } = running;
    Object.assign(state, { loading: true, failure: null });
    try {
      const { data } = await request<{ data: Api.AuditPage }>("/api/audit", { query: { ...asked, cursor }, signal });
      if (signal.aborted) return;
      cursor = data.next_cursor;
      Object.assign(state, { entries: [...state.entries, ...data.entries], hasMore: data.has_more });
    } catch (thrown) {
      if (!signal.aborted) state.failure = failureFromThrown(thrown);
    } finally {
      if (!signal.aborted) state.loading = false;
    }
  }

  return { state, ask, more };
}

/** Gives the log by these filters to the browser to keep. Throws `ApiError`. */
export async function exportLog(filters: Filters, format: "csv" | "xlsx", locale: string): Promise<void> {
  const query = { ...queryOf(filters), format, locale };
  keepFile(await file("/api/audit/export", { query, timeoutMs: MAKING_MS }), `audit.${format}`);
}
