import { type Api, type ApiError, failureFromThrown } from "@kefu/api";
import { useIntervalFn } from "@vueuse/core";
import { computed, shallowRef, watch } from "vue";
import { request } from "../accounts/client";

export type Golden = Api.GoldenOut;
export type Run = Api.RunOut;
export type Score = Api.ScoreOut;
export type Measure = keyof NonNullable<Run["scores"][keyof Run["scores"]]>;

const EVERY_MS = 1_000;

interface Shown {
  questions: Api.GoldenList;
  runs: Api.RunList;
  shadow: Api.ShadowOut;
}

async function ask(shop: string): Promise<Shown> {
  const query = { shop };
  const [questions, runs, shadow] = await Promise.all([
    request<{ data: Api.GoldenList }>("/api/golden/questions", { query }),
    request<{ data: Api.RunList }>("/api/golden/runs", { query }),
    request<{ data: Api.ShadowOut }>("/api/shadow", { query }),
  ]);
  return { questions: questions.data, runs: runs.data, shadow: shadow.data };
}

/** What is done to a shop's golden questions and to its shadow mode. All throw what the server refuses. */
const acts = {
  add: (shop: string, fields: Omit<Api.NewGolden, "shop">) =>
    request("/api/golden/questions", { method: "POST", body: { ...fields, shop } }),
  remove: (id: string) => request(`/api/golden/questions/${id}`, { method: "DELETE" }),
  start: (shop: string) => request("/api/golden/runs", { method: "POST", body: { shop } }),
  turn: (shop: string, isOn: boolean) => request("/api/shadow", { method: "PUT", body: { shop, is_on: isOn } }),
};

/** One shop's golden questions, what they came to, and its shadow mode. A run that goes on is asked about every second. */
export function useQuality(shop: () => string | undefined) {
  const shown = shallowRef<Shown>();
  const failure = shallowRef<ApiError>();
  const isRunning = computed(() => shown.value?.runs.runs[0]?.finished_at === null);

  async function load(): Promise<void> {
    const asked = shop();
    if (!asked) return;
    failure.value = undefined;
    try {
      const found = await ask(asked);
      if (asked === shop()) shown.value = found;
    } catch (thrown) {
      if (asked === shop()) failure.value = failureFromThrown(thrown);
    }
  }

  async function act(what: (shop: string) => Promise<unknown>): Promise<void> {
    await what(shop() ?? "");
    await load();
  }

  watch(shop, () => {
    shown.value = undefined;
    void load();
  });
  useIntervalFn(() => isRunning.value && void load(), EVERY_MS);

  return {
    shown,
    failure,
    isRunning,
    load,
    add: (fields: Omit<Api.NewGolden, "shop">) => act((id) => acts.add(id, fields)),
    remove: (question: string) => act(() => acts.remove(question)),
    start: () => act(acts.start),
    turn: (isOn: boolean) => act((id) => acts.turn(id, isOn)),
  };
}
