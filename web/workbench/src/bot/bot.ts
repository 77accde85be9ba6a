import { type Api, type ApiError, failureFromThrown } from "@kefu/api";
import { computed, ref, shallowRef, watch } from "vue";
import { request } from "../accounts/client";

type Stored = Api.BotOut;
export type Trial = Api.TrialOut;
export type Provider = NonNullable<Stored["provider"]>;
export const PROVIDERS: readonly Provider[] = ["builtin", "openai", "azure", "custom", "coze"];
export const PERIODS = ["visitor_day", "session", "shop_day", "shop_month"] as const;
export const COZE_IDS = ["app_id", "workflow_id", "client_id", "public_key_id"] as const;

/** As it is edited. `provider` empty: that of the installation. `key` empty: the stored one stays. */
export interface Draft {
  provider: Provider | "";
  url: string;
  key: string;
  model: string;
  cheaper_model: string;
  embedding_model: string;
  deployment: string;
  api_version: string;
  coze: Record<(typeof COZE_IDS)[number], string>;
  persona: string;
  prompt: string;
  mask_pii: boolean;
  budgets: Record<(typeof PERIODS)[number], { tokens: string; usd: string }>;
}

const shown = (amount: number | null | undefined) => (typeof amount === "number" ? String(amount) : "");
const counted = (text: string) => (text.trim() === "" ? null : Number(text));

export function draftOf(stored: Stored): Draft {
  const { coze = {}, budgets = {} } = stored;
  return {
    provider: stored.provider ?? "",
    url: stored.url ?? "",
    key: "",
    model: stored.model ?? "",
    cheaper_model: stored.cheaper_model ?? "",
    embedding_model: stored.embedding_model ?? "",
    deployment: stored.deployment ?? "",
    api_version: stored.api_version ?? "",
    coze: { app_id: "", workflow_id: "", client_id: "", public_key_id: "", ...coze },
    persona: stored.persona ?? "",
    prompt: stored.prompt ?? "",
    mask_pii: stored.mask_pii ?? true,
    budgets: Object.fromEntries(
      PERIODS.map((period) => [period, { tokens: shown(budgets[period]?.tokens), usd: shown(budgets[period]?.usd) }]),
    ) as Draft["budgets"],
  };
}

export function wishOf(draft: Draft, version: number): Api.BotChoice {
  const budgets = PERIODS.map((period) => {
    const { tokens, usd } = draft.budgets[period];
    return [period, { tokens: counted(tokens), usd: counted(usd) }];
  });
  return {
    ...draft,
    provider: draft.provider || null,
    key: draft.key.trim() || null,
    budgets: Object.fromEntries(budgets) as Api.Budgets,
    version,
  };
}

/** Whether the stored key is still good: it is kept for its provider and address alone. */
export function keepsKey(stored: Stored, draft: Draft): boolean {
  return stored.has_key && draft.provider === (stored.provider ?? "") && draft.url.trim() === (stored.url ?? "");
}

function createBot() {
  const stored = shallowRef<Stored>();
  const draft = ref<Draft>();
  const failure = shallowRef<ApiError>();
  const busy = ref<"saving" | "trying">();
  /** Somebody else saved while this was edited. */
  const overtaken = ref(false);
  const trial = shallowRef<Trial>();
  const dirty = computed(() => {
    if (!stored.value || !draft.value) return false;
    return JSON.stringify(draft.value) !== JSON.stringify(draftOf(stored.value));
  });

  function take(fresh: Stored): void {
    stored.value = fresh;
    draft.value = draftOf(fresh);
    overtaken.value = false;
  }

  const discard = () => stored.value && take(stored.value);
  return { stored, draft, failure, busy, overtaken, trial, dirty, take, discard };
}

/** The bot of one shop as it is edited. */
export function useBot(shop: () => string | undefined) {
  const own = createBot();
  const path = () => `/api/shops/${shop()}/bot`;

  async function load(): Promise<void> {
    own.failure.value = own.trial.value = undefined;
    const asked = shop();
    if (!asked) return;
    try {
      const { data } = await request<{ data: Stored }>(path());
      if (asked === shop()) own.take(data);
    } catch (thrown) {
      own.failure.value = failureFromThrown(thrown);
    }
  }

  /** Throws what the server refuses, except a change by somebody else. */
  async function save(): Promise<boolean> {
    try {
      const fresh = await sent<Stored>(own, "saving", path());
      if (fresh) own.take(fresh);
      return fresh !== undefined;
    } catch (thrown) {
      if (failureFromThrown(thrown).code !== "BOT_CHANGED") throw thrown;
      own.overtaken.value = true;
      return false;
    }
  }

  /** Ask the provider a tiny question, with what stands in the form. Throws what the server refuses. */
  async function tryOut(): Promise<void> {
    own.trial.value = undefined;
    own.trial.value = await sent<Trial>(own, "trying", `${path()}/test`);
  }

  watch(shop, load, { immediate: true });
  return { ...own, load, save, tryOut };
}

/** What stands in the form, sent there; undefined while something is on its way already. */
async function sent<T>(own: ReturnType<typeof createBot>, what: "saving" | "trying", to: string): Promise<T | undefined> {
  if (!own.stored.value || !own.draft.value || own.busy.value) return undefined;
  own.busy.value = what;
  try {
    const body = wishOf(own.draft.value, own.stored.value.version);
    return (await request<{ data: T }>(to, { method: what === "saving" ? "PUT" : "POST", body })).data;
  } finally {
    own.busy.value = undefined;
  }
}
