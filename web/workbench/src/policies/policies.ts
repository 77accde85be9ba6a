import { type Api, type ApiError, failureFromThrown } from "@kefu/api";
import { defineStore } from "pinia";
import { shallowRef } from "vue";
import { useI18n } from "vue-i18n";
import { request } from "../accounts/client";

export type Policy = Api.Policy;
export type Rule = Policy["rule"];
export type Kind = Rule["kind"];
export type Draft = Api.PolicyDraftOut;
export type Hit = Api.Hit;
export type Backtest = Api.BacktestOut;

const PATH = "/api/policies";

/** A rule of each kind to begin with. */
export const BLANK: { readonly [K in Kind]: Extract<Rule, { kind: K }> } = {
  keyword: { kind: "keyword", words: [], match: "word" },
  regex: { kind: "regex", pattern: "" },
  topic: { kind: "topic", topics: ["safety"] },
  sentiment: { kind: "sentiment", in_a_row: 2 },
  vip: { kind: "vip" },
  order_value: { kind: "order_value", at_least: 2000 },
  spend: { kind: "spend", at_least: 1 },
  time: { kind: "time", measure: "messages", at_least: 8 },
  fail_loop: { kind: "fail_loop", in_a_row: 3, apologies: [] },
  low_confidence: { kind: "low_confidence", below: 0.4 },
};

export function blankPolicy(): Policy {
  const id = `pol_${crypto.randomUUID().replaceAll("-", "").slice(0, 20)}`;
  const plain = { shop: null, hours: "any", cooldown_minutes: 0, dry_run: false, enabled: true } as const;
  return { id, name: { en: "", zh: "" }, rule: BLANK.keyword, severity: "medium", does: "escalate", ...plain };
}

/** The draft as it was when last asked for, in order of precedence. */
export const usePolicies = defineStore("policies", () => {
  const draft = shallowRef<Draft>();
  const failure = shallowRef<ApiError>();

  function take(fresh: Draft): void {
    const ordered = fresh.policies.toSorted((one, other) => (one.priority ?? 50) - (other.priority ?? 50));
    [draft.value, failure.value] = [{ ...fresh, policies: ordered }, undefined];
  }

  async function load(): Promise<void> {
    try {
      take((await request<Api.PolicyDraftData>(PATH)).data);
    } catch (thrown) {
      failure.value = failureFromThrown(thrown);
    }
  }

  /** In this order. Throws what is refused; of a change by somebody else the newer draft is here then. */
  async function put(policies: readonly Policy[]): Promise<void> {
    const numbered = policies.map((one, index) => ({ ...one, priority: index + 1 }));
    await told(async () => {
      const body = { policies: numbered, revision: draft.value?.revision ?? 0 };
      take((await request<Api.PolicyDraftData>(PATH, { method: "PUT", body })).data);
    });
  }

  async function publish(note: string): Promise<void> {
    await told(async () => {
      await request(`${PATH}/publish`, { body: { revision: draft.value?.revision ?? 0, note } });
    });
    await load();
  }

  async function told(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (thrown) {
      if (failureFromThrown(thrown).code === "POLICIES_CHANGED") await load();
      throw thrown;
    }
  }

  return { draft, failure, load, put, publish };
});

const read = async <T>(path: string) => (await request<{ data: T }>(`${PATH}${path}`)).data;

export const versions = () => read<Api.VersionRef[]>("/versions");
export const versionOf = (version: number) => read<Api.PolicyVersionOut>(`/versions/${version}`);
/** Without `next`: the draft. */
export const difference = (old: number, next?: number) =>
  read<Api.Difference[]>(`/diff?old=${old}${next === undefined ? "" : `&new=${next}`}`);
export const tryOut = async (body: Api.Try) => (await request<Api.HitsData>(`${PATH}/try`, { body })).data;
export const backtests = () => read<Api.BacktestRef[]>("/backtests");
export const backtestOf = (id: string) => read<Backtest>(`/backtests/${id}`);
export const startBacktest = async (body: Api.StartBacktest) =>
  (await request<Api.BacktestData>(`${PATH}/backtests`, { body })).data;
export const stopBacktest = (id: string) => request(`${PATH}/backtests/${id}/cancel`, { method: "POST" });

/** What policies and rules are called in the chosen language. */
export function usePolicyWords() {
  const { t, locale } = useI18n();
  const nameOf = (name: Api.Names) => name[locale.value === "zh" ? "zh" : "en"];

  function says(rule: Rule): string {
    switch (rule.kind) {
      case "keyword":
        return rule.words.join(" · ");
      case "regex":
        return rule.pattern;
      case "topic":
        return rule.topics.map((topic) => t(`policies.topics.${topic}`)).join(" · ");
      case "time":
        return t(`policies.says.${rule.measure ?? "messages"}`, { at_least: rule.at_least });
      default:
        return t(`policies.says.${rule.kind}`, { ...rule });
    }
  }

  return { nameOf, says };
}
