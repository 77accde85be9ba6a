import { type ApiError, failureFromThrown, type ListedSession } from "@kefu/api";
import { reactive } from "vue";
import { request } from "../accounts/client";
import { type Counted, countsOf, type Tab, TABS } from "./list";
import type { Pool } from "./pool";

interface SessionPage extends Counted {
  sessions: ListedSession[];
  total: number;
  next_cursor: string | null;
  has_more: boolean;
}

interface Progress {
  cursor: string | null;
  hasMore: boolean;
  loading: boolean;
  loaded: boolean;
  failure: ApiError | null;
}

const LIMIT = 100;
const QUERIES: Record<Tab, Record<string, string>> = {
  waiting: { status: "pending_manual", sort: "waitTime" },
  unassigned: { agent: "unassigned", sort: "waitTime" },
  mine: { status: "manual_live", agent: "mine", sort: "newest" },
  later: { status: "after_hours_email", sort: "oldest" },
  bot: { status: "bot_active", sort: "newest" },
  closed: { status: "closed", sort: "newest" },
  all: { sort: "newest" },
};

function untouched(): Progress {
  return { cursor: null, hasMore: true, loading: false, loaded: false, failure: null };
}

interface Search extends Progress {
  /** Names of sessions. */
  found: Set<string>;
}

function nothingFound(): Search {
  return { ...untouched(), found: new Set() };
}

/** How far each tab has been read from the server, and one search beside them. */
export function createPages(pool: Pool) {
  const progress = reactive(Object.fromEntries(TABS.map((tab) => [tab, untouched()])) as Record<Tab, Progress>);
  const search = reactive(nothingFound());
  let era = new AbortController();
  let searching = new AbortController();

  async function more(tab: Tab): Promise<boolean> {
    const page = await fetchInto(pool, progress[tab], { query: QUERIES[tab], signal: era.signal });
    if (page) pool.counts.value = countsOf(page);
    return page !== null;
  }

  async function moreFound(tab: Tab, asked: Record<string, string>, into: Search = search): Promise<void> {
    const page = await fetchInto(pool, into, { query: { ...QUERIES[tab], ...asked }, signal: searching.signal });
    for (const session of page?.sessions ?? []) into.found.add(session.session_name);
  }

  /** Asks for as much as was found, since others may match by now. What was found stays until the answer is here. */
  async function findAgain(tab: Tab, asked: Record<string, string>): Promise<void> {
    searching.abort();
    searching = new AbortController();
    const { signal } = searching;
    const anew = reactive(nothingFound());
    do await moreFound(tab, asked, anew);
    while (!signal.aborted && !anew.failure && anew.hasMore && anew.found.size < search.found.size);
    if (!signal.aborted) Object.assign(search, anew.failure ? { ...untouched(), found: search.found, failure: anew.failure } : anew);
  }

  /** Reads the given tabs anew and forgets what the server no longer speaks of. */
  async function restart(tabs: readonly Tab[]): Promise<void> {
    era.abort();
    era = new AbortController();
    const { signal } = era;
    const isKept = (tab: Tab) => tabs.includes(tab) && pool.sessions.value.size > 0 && progress[tab].loaded;
    for (const tab of TABS) Object.assign(progress[tab], { ...untouched(), loaded: isKept(tab) });
    pool.mark();
    const done = await Promise.all(tabs.map((tab) => more(tab)));
    if (!signal.aborted && done.every(Boolean)) pool.sweep();
  }

  function restartSearch(): void {
    searching.abort();
    searching = new AbortController();
    Object.assign(search, nothingFound());
  }

  return { progress, search, more, moreFound, findAgain, restart, restartSearch };
}

interface Call {
  query: Record<string, string>;
  signal: AbortSignal;
}

/** The next page, taken into the pool; null when there is none, or nobody waits for it any more. */
async function fetchInto(pool: Pool, at: Progress, { query, signal }: Call): Promise<SessionPage | null> {
  if (at.loading || !at.hasMore) return null;
  Object.assign(at, { loading: true, failure: null });
  try {
    const full = { ...query, limit: LIMIT, cursor: at.cursor };
    const { data } = await request<{ data: SessionPage }>("/api/sessions", { query: full, signal });
    if (signal.aborted) return null;
    for (const session of data.sessions) pool.receive(session, false);
    pool.show();
    Object.assign(at, { cursor: data.next_cursor, hasMore: data.has_more, loaded: true });
    return data;
  } catch (thrown) {
    if (!signal.aborted) at.failure = failureFromThrown(thrown);
    return null;
  } finally {
    if (!signal.aborted) at.loading = false;
  }
}
