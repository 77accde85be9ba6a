import { failureFromThrown, type SessionSummary } from "@kefu/api";
import { watchDebounced } from "@vueuse/core";
import { computed, type Ref, ref, shallowRef, watch } from "vue";
import { useI18n } from "vue-i18n";
import { useRouter } from "vue-router";
import { request } from "../accounts/client";
import { mentions, previewOf } from "../sessions/list";
import { nameOf } from "../sessions/session";
import { useSessionList } from "../sessions/sessionList";
import type { Item } from "./useOffers";

const MOST = 6;
const PAUSE_MS = 200;

/** The conversations that the query leads to: what is known here at once, what the server finds a moment later. */
export function useCustomers(query: Ref<string>) {
  const { t } = useI18n();
  const router = useRouter();
  const list = useSessionList();
  const found = shallowRef<readonly SessionSummary[]>([]);
  const failed = ref(false);
  const wanted = computed(() => query.value.trim());
  let asking = new AbortController();

  watch(wanted, () => {
    asking.abort();
    found.value = [];
    failed.value = false;
  });
  watchDebounced(wanted, (keyword) => keyword && void ask(keyword), { debounce: PAUSE_MS });

  async function ask(keyword: string): Promise<void> {
    asking = new AbortController();
    const { signal } = asking;
    try {
      const asked = { query: { keyword, limit: MOST, sort: "newest" }, signal };
      const { data } = await request<{ data: { sessions: SessionSummary[] } }>("/api/sessions", asked);
      if (!signal.aborted) found.value = data.sessions;
    } catch (thrown) {
      if (!signal.aborted) failed.value = failureFromThrown(thrown) !== null;
    }
  }

  const known = computed(() => [...list.sessions.values()].filter((each) => mentions(each, wanted.value)).slice(0, MOST));

  function itemOf(session: SessionSummary): Item {
    const title = nameOf(session, (short) => t("list.visitor", { name: short }));
    const last = previewOf(session);
    const go = () => router.push({ name: "sessions", params: { name: session.session_name } });
    return { id: `session.${session.session_name}`, title, also: "", detail: [t(`status.${session.status}`), last].filter(Boolean).join(" · "), do: go };
  }

  const items = computed(() => {
    if (!wanted.value) return [];
    const byName = new Map([...known.value, ...found.value].map((session) => [session.session_name, session]));
    return [...byName.values()].slice(0, MOST).map(itemOf);
  });
  return { items, failed };
}
