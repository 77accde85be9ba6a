import { type Api, type ApiError, failureFromThrown } from "@kefu/api";
import { useDocumentVisibility, useIntervalFn } from "@vueuse/core";
import { computed, ref, shallowRef, watch } from "vue";
import { request } from "../accounts/client";

export type Board = Api.Wallboard;

const EVERY_MS = 5_000;
/** After so long without news the figures are no longer called live. */
const STALE_MS = 15_000;

/** The board of a shop ("": of all), asked for again and again while the page is to be seen. Old figures stay until there are new ones. */
export function useBoard(shop: () => string) {
  const board = shallowRef<Board>();
  const failure = shallowRef<ApiError>();
  const heardAt = ref(0);
  const now = ref(Date.now());
  let asking: AbortController | undefined;

  async function ask(): Promise<void> {
    if (asking) return;
    const { signal } = (asking = new AbortController());
    try {
      const options = { query: { shop: shop() }, timeoutMs: 10_000, signal };
      const { data } = await request<{ data: Board }>("/api/wallboard", options);
      if (signal.aborted) return;
      [board.value, heardAt.value, failure.value] = [data, Date.now(), undefined];
    } catch (thrown) {
      if (!signal.aborted) failure.value = failureFromThrown(thrown);
    } finally {
      if (!signal.aborted) asking = undefined;
    }
  }

  /** The figures of one shop never stand under the name of another. */
  watch(shop, () => {
    asking?.abort();
    asking = board.value = failure.value = undefined;
    void ask();
  });

  const visibility = useDocumentVisibility();
  useIntervalFn(() => visibility.value === "visible" && void ask(), EVERY_MS, { immediateCallback: true });
  useIntervalFn(() => (now.value = Date.now()), 1_000);
  watch(visibility, (seen) => seen === "visible" && void ask());
  const age = computed(() => Math.max(0, now.value - heardAt.value));
  const isStale = computed(() => board.value !== undefined && age.value > STALE_MS);

  return { board, failure, age, isStale, heardAt, ask };
}
