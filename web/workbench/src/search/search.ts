import { type Api, type ApiError, failureFromThrown } from "@kefu/api";
import { reactive } from "vue";
import { request } from "../accounts/client";

export type Hit = Api.SearchHit;

/** One search and how far it has been read. Asking anew lets the old answer go. */
export function createSearch() {
  const state = reactive({
    asked: "",
    hits: [] as Hit[],
    hasMore: false,
    loading: false,
    failure: null as ApiError | null,
  });
  let cursor: string | null = null;
  let narrowed: Record<string, string> = {};
  let running = new AbortController();

  /** `narrow`: as the server takes it. */
  function ask(query: string, narrow: Record<string, string>): void {
    running.abort();
    running = new AbortController();
    cursor = null;
    narrowed = narrow;
    Object.assign(state, { asked: query, hits: [], hasMore: query !== "", loading: false, failure: null });
    if (query) void more();
  }

  async function more(): Promise<void> {
    if (state.loading || !state.hasMore) return;
    const { signal } = running;
    Object.assign(state, { loading: true, failure: null });
    try {
      const query = { ...narrowed, q: state.asked, cursor };
      const { data } = await request<{ data: Api.SearchPage }>("/api/search/messages", { query, signal });
      if (signal.aborted) return;
      cursor = data.next_cursor;
      Object.assign(state, { hits: [...state.hits, ...data.hits], hasMore: data.has_more });
    } catch (thrown) {
      if (!signal.aborted) state.failure = failureFromThrown(thrown);
    } finally {
      if (!signal.aborted) state.loading = false;
    }
  }

  return { state, ask, more };
}
