import type { Api } from "@kefu/api";
import { useIntervalFn } from "@vueuse/core";
import { computed, shallowRef, watch } from "vue";
import { request } from "../accounts/client";

export type Rehearsal = Api.RehearsalOut;

const EVERY_MS = 1_000;

/** The settings of one shop's bot on their way through the gate, or what became of the last ones; asked about every second. */
export function useGate(shop: () => string | undefined, passed: () => Promise<unknown>) {
  const rehearsal = shallowRef<Rehearsal | null>(null);
  const waits = computed(() => rehearsal.value?.verdict === "");
  const path = () => `/api/shops/${shop()}/bot/rehearsal`;

  /** Throws what the server refuses. */
  async function look(): Promise<void> {
    const [asked, waited] = [shop(), waits.value];
    if (!asked) return;
    const { data } = await request<{ data: Rehearsal | null }>(path());
    if (asked !== shop()) return;
    rehearsal.value = data;
    if (waited && data?.verdict === "passed") await passed();
  }

  async function withdraw(): Promise<void> {
    await request(path(), { method: "DELETE" });
    await look();
  }

  const lookAgain = () => look().catch(() => undefined); // a connection that is lost comes back
  watch(
    shop,
    () => {
      rehearsal.value = null;
      void lookAgain();
    },
    { immediate: true },
  );
  useIntervalFn(() => waits.value && void lookAgain(), EVERY_MS);
  return { rehearsal, waits, look, withdraw };
}
