import { type ApiError, failureFromThrown } from "@kefu/api";
import { ref, shallowRef, watch } from "vue";
import { request } from "../accounts/client";

const DAY_MS = 86_400_000;

/** What a report says of the last `days` days. `query`: what else is asked; read again whenever either changes. */
export function useReport<T extends { first: string; last: string }>(path: string, query: () => Record<string, string>, days: () => number) {
  const report = shallowRef<T>();
  const failure = shallowRef<ApiError>();
  const loading = ref(false);
  let running = new AbortController();

  const ask = async (asked: Record<string, string>, signal: AbortSignal) =>
    (await request<{ data: T }>(path, { query: asked, signal })).data;

  // The last day is the server's: its clocks say what today is.
  async function whole(signal: AbortSignal): Promise<T> {
    const asked = query();
    const data = await ask(asked, signal);
    const from = new Date(Date.parse(data.last) - (days() - 1) * DAY_MS).toISOString().slice(0, 10);
    return data.first === from ? data : await ask({ ...asked, from, to: data.last }, signal);
  }

  async function load(): Promise<void> {
    running.abort();
    running = new AbortController();
    const { signal } = running;
    loading.value = true;
    failure.value = undefined;
    try {
      const found = await whole(signal);
      if (!signal.aborted) report.value = found;
    } catch (thrown) {
      if (!signal.aborted) failure.value = failureFromThrown(thrown);
    } finally {
      if (!signal.aborted) loading.value = false;
    }
  }

  watch([() => JSON.stringify(query()), days], () => void load(), { immediate: true });
  return { report, failure, loading, load };
}
