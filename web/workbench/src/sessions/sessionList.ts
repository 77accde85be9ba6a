import { type DeskFrame, follow, type Follower, type SessionSummary } from "@kefu/api";
import { refDebounced, useIntervalFn, useStorage, useThrottleFn } from "@vueuse/core";
import { defineStore } from "pinia";
import { computed, ref, shallowRef, watch } from "vue";
import { useAccount } from "../accounts/account";
import { request, signedLine } from "../accounts/client";
import { deskFrames } from "./deskFrames";
import { chosen, type Filters, noFilters, queryOf } from "./filters";
import { belongs, concerns, type Counted, countsOf, type Held, inOrder, mentions, ordered, type Tab, unreadOf } from "./list";
import { createPages } from "./pages";
import { createPool, type Pool } from "./pool";
import type { Session } from "./session";

export type Connection = "connecting" | "live" | "offline";

/** Waits turn urgent by themselves; the queue is sorted anew this often. */
const RESORT_MS = 10_000;
/** No list is longer here: further down one finds by searching. All there is in memory is at most half as much again. */
export const LONGEST = 10_000;
/** So many sessions of tabs that are not looked at need no room. */
const FEW = 1_000;
/** News may come in a flood: what only the server knows of it is asked no more often than this. */
const ASK_MS = 2_000;

export const useSessionList = defineStore("sessionList", () => {
  const account = useAccount();
  const agentId = computed(() => account.agent?.id ?? "");
  const pool = createPool(agentId);
  const pages = createPages(pool);
  const view = createView(pool, agentId, pages);
  const inUse = () => [...new Set<Tab>(["waiting", "mine", view.tab.value])];
  const findAgain = () => pages.findAgain(view.tab.value, view.asked.value);
  const live = createLive(pool, agentId, async () => {
    await Promise.all([pages.restart(inUse()), view.isNarrowed.value && findAgain()]);
  });
  const hearMatches = useThrottleFn(oneAtATime(findAgain), ASK_MS, true);
  deskFrames.on(({ type }) => {
    if (type === "session.changed" && view.isAsked.value) void hearMatches();
  });

  const find = () => void pages.moreFound(view.tab.value, view.asked.value);
  watch([view.tab, view.asked], () => {
    pages.restartSearch();
    if (pool.sessions.value.size > FEW) void pages.restart(inUse());
    if (view.isNarrowed.value) find();
    else if (!pages.progress[view.tab.value].loaded) void pages.more(view.tab.value);
  });
  watch(() => pool.sessions.value.size > LONGEST * 1.5, (isFull) => isFull && void pages.restart(inUse()));

  function more(): void {
    if (view.visible.value.length >= LONGEST) return;
    if (view.isNarrowed.value) find();
    else void pages.more(view.tab.value);
  }

  const progress = computed(() => (view.isNarrowed.value ? pages.search : pages.progress[view.tab.value]));
  const at = (name: string | undefined) => (name ? pool.sessions.value.get(name) : undefined);

  const unread = (session: Held) => unreadOf(session, agentId.value);
  const unreadMine = computed(() => view.mine.value.reduce((sum, session) => sum + unread(session), 0));

  return { ...view, ...live, unread, unreadMine, read: pool.read, sizes: pool.counts, sessions: pool.sessions, progress, more, at };
});

/** Who calls while it runs has it run once more, rather than beside itself. */
function oneAtATime(act: () => Promise<void>): () => Promise<void> {
  let isWanted = false;
  let isRunning = false;
  return async () => {
    isWanted = true;
    if (isRunning) return;
    isRunning = true;
    for (; isWanted; await act()) isWanted = false;
    isRunning = false;
  };
}

function createView(pool: Pool, agentId: { value: string }, pages: ReturnType<typeof createPages>) {
  const tab = ref<Tab>("waiting");
  const keyword = ref("");
  const typed = refDebounced(keyword, 250);
  const settled = computed(() => typed.value.trim());
  const filters = useStorage<Filters>("kefu.filters", noFilters(), undefined, { mergeDefaults: true });
  const asked = computed(() => ({ ...queryOf(filters.value, Date.now()), keyword: settled.value }));
  const isFiltered = computed(() => chosen(filters.value).length > 0);
  /** By what only the server knows; it also knows the order. Tags are in every summary. */
  const isAsked = computed(() => chosen({ ...filters.value, tag: "" }).length > 0);
  const isNarrowed = computed(() => isFiltered.value || settled.value !== "");
  const now = ref(Date.now());
  useIntervalFn(() => (now.value = Date.now()), RESORT_MS);

  const inTab = (which: Tab) =>
    [...pool.sessions.value.values()].filter((each) => belongs(each, which, agentId.value));
  const visible = computed(() => {
    const words = keyword.value;
    const { found } = pages.search;
    const { tag } = filters.value;
    const isFound = (each: Held) => found.has(each.session_name) || (!isAsked.value && mentions(each, words));
    const each = inTab(tab.value).filter((one) => (!tag || one.tags.includes(tag)) && isFound(one));
    return filters.value.sort ? inOrder(each, [...found]) : ordered(each, tab.value, now.value);
  });
  const waiting = computed(() => ordered(inTab("waiting"), "waiting", now.value));
  const mine = computed(() => inTab("mine"));
  const offers = computed(() => waiting.value.filter((each) => each.assigned_agent?.id === agentId.value));

  return { tab, keyword, settled, filters, asked, isFiltered, isAsked, isNarrowed, visible, waiting, mine, offers };
}

function createLive(pool: Pool, agentId: { value: string }, refresh: () => Promise<void>) {
  const connection = ref<Connection>("connecting");
  /** The last session that began to wait while we were listening. */
  const arrival = shallowRef<SessionSummary>();
  let follower: Follower | undefined;
  const recount = useThrottleFn(() => countAgain(pool), ASK_MS, true);

  function heard(frame: DeskFrame): void {
    void deskFrames.trigger(frame);
    if (frame.type === "stream.ready") void refresh();
    if (frame.type === "session.read") pool.read(frame.session, frame.read_count);
    if (frame.type === "session.gone" && !pool.forget(frame.session_name)) void recount();
    if (frame.type !== "session.changed") return;
    const before = receive(pool, frame.session, agentId.value);
    if (!before) void recount();
    const isNew = before?.status !== "pending_manual" && (before?.seq ?? 0) <= frame.session.seq;
    if (isNew && frame.session.status === "pending_manual") arrival.value = frame.session;
  }

  /** A list may still be had where a stream may not. */
  function lost(): void {
    connection.value = "offline";
    if (follower && pool.sessions.value.size === 0) void refresh();
  }

  function start(): void {
    follower ??= follow<DeskFrame>({
      ...signedLine("/ws/agent"),
      url: "/api/agent/events",
      onFrame: heard,
      onState: ({ phase }) => {
        if (phase === "open") connection.value = "live";
        else if (phase !== "connecting") lost();
      },
    });
  }

  function stop(): void {
    follower?.close();
    follower = undefined;
    connection.value = "connecting";
    pool.mark();
    pool.sweep();
  }

  return { connection, arrival, start, stop, refresh };
}

/** An older session may come to us for the first time: how far we had read it, only the server knows. */
function receive(pool: Pool, news: SessionSummary, agentId: string): Held | undefined {
  const before = pool.receive(news, true);
  const isUnknown = pool.sessions.value.get(news.session_name)?.readCount === null;
  if (isUnknown && concerns(news, agentId)) void learnRead(pool, news.session_name);
  return before;
}

async function learnRead(pool: Pool, name: string): Promise<void> {
  const asked = request<{ data: { session: Session } }>(`/api/sessions/${encodeURIComponent(name)}`);
  const answer = await asked.catch(() => null);
  if (!answer) return;
  const { visitor_message_count, unread } = answer.data.session;
  pool.read(name, visitor_message_count - unread);
}

/** What an unknown session was counted as before, only the server knows. */
async function countAgain(pool: Pool): Promise<void> {
  const asked = request<{ data: Counted }>("/api/sessions", { query: { limit: 1 } });
  // A failure means the line is down; on its return everything is read anew.
  const answer = await asked.catch(() => null);
  if (answer) pool.counts.value = countsOf(answer.data);
}
