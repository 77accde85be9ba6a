import { type Api, type ApiError, failureFromThrown } from "@kefu/api";
import { useDocumentVisibility, useIntervalFn } from "@vueuse/core";
import { computed, ref, shallowRef, watch } from "vue";
import { request } from "../accounts/client";

export type Board = Api.Wallboard;

const EVERY_MS = 5_000;
/** After so long without news the figures are no longer called live. */
const STALE_MS = 15_000;

/** The board, asked for again and again while the page is to be seen. Old figures stay until there are new ones. */
export function useBoard() {
  const board = shallowRef<Board>();
  const failure = shallowRef<ApiError>();
  const heardAt = ref(0);
  const now = ref(Date.now());
  let asking = false;

  async function ask(): Promise<void> {
    if (asking) return;
    asking = true;
    try {
      board.value = (await request<{ data: Board }>("/api/wallboard", { timeoutMs: 10_000 })).data;
      heardAt.value = Date.now();
      failure.value = undefined;
    } catch (thrown) {
      failure.value = failureFromThrown(thrown);
    } finally {
      asking = false;
    }
  }

  const visibility = useDocumentVisibility();
  useIntervalFn(() => visibility.value === "visible" && void ask(), EVERY_MS, { immediateCallback: true });
  useIntervalFn(() => (now.value = Date.now()), 1_000);
  watch(visibility, (seen) => seen === "visible" && void ask());
  const age = computed(() => Math.max(0, now.value - heardAt.value));
  const isStale = computed(() => board.value !== undefined && age.value > STALE_MS);

  return { board, failure, age, isStale, heardAt, ask };
}
