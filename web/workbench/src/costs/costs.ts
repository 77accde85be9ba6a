import { type Api, type ApiError, failureFromThrown, keepFile } from "@kefu/api";
import { ref, shallowRef, watch } from "vue";
import { file, request } from "../accounts/client";

const DAY_MS = 86_400_000;

/** What was used in the last `days` days, of one shop or of all ("") */
export function useCosts(shop: () => string, days: () => number) {
  const costs = shallowRef<Api.Costs>();
  const failure = shallowRef<ApiError>();
  const loading = ref(false);
  let running = new AbortController();

  // The last day is the server's: its clocks say what today is.
  async function query(signal: AbortSignal) {
    const { data } = await request<{ data: Api.Costs }>("/api/reports/costs", { query: { shop: shop() }, signal });
    const from = new Date(Date.parse(data.last) - (days() - 1) * DAY_MS).toISOString().slice(0, 10);
    return { asked: { shop: shop(), from, to: data.last }, data };
  }

  async function load(): Promise<void> {
    running.abort();
    running = new AbortController();
    const { signal } = running;
    loading.value = true;
    failure.value = undefined;
    try {
      const { asked, data } = await query(signal);
      const isWhole = data.first === asked.from;
      const found = isWhole ? data : (await request<{ data: Api.Costs }>("/api/reports/costs", { query: asked, signal })).data;
      if (!signal.aborted) costs.value = found;
    } catch (thrown) {
      if (!signal.aborted) failure.value = failureFromThrown(thrown);
    } finally {
      if (!signal.aborted) loading.value = false;
    }
  }

  async function save(locale: string): Promise<void> {
    const { first: from, last: to } = costs.value ?? {};
    const query = { shop: shop(), from, to, locale };
    keepFile(await file("/api/reports/costs/file", { query, timeoutMs: 60_000 }), `costs.${from}.${to}.csv`);
  }

  watch([shop, days], () => void load(), { immediate: true });
  return { costs, failure, loading, load, save };
}
