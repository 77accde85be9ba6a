import { type Api, type ApiError, failureFromThrown } from "@kefu/api";
import { computed, ref, shallowRef, watch } from "vue";
import { request } from "../accounts/client";

export type Security = Api.SecurityOut;

/** As it is edited. `origins`: one a line; `inherits`: those of the installation hold. */
export interface Draft {
  mode: Security["identity_mode"];
  required: boolean;
  inherits: boolean;
  origins: string;
}

const SITE = /^(https:\/\/(\*\.[a-z0-9-]+\.)?[a-z0-9.-]+(:\d+)?|http:\/\/(localhost|127\.0\.0\.1)(:\d+)?|\*)\/?$/i;

export function draftOf(stored: Security): Draft {
  return {
    mode: stored.identity_mode,
    required: stored.identity_required,
    inherits: stored.origins === null,
    origins: (stored.origins ?? stored.default_origins).join("\n"),
  };
}

export function originsOf(draft: Draft): string[] {
  return draft.origins.split(/[\s,]+/).filter(Boolean);
}

/** The first line that is no site. */
export function wrongOrigin(draft: Draft): string | undefined {
  return draft.inherits ? undefined : originsOf(draft).find((line) => !SITE.test(line));
}

function createSecurity() {
  const stored = shallowRef<Security>();
  const draft = ref<Draft>();
  const failure = shallowRef<ApiError>();
  const saving = ref(false);
  /** Somebody else saved while this was edited. */
  const overtaken = ref(false);
  const dirty = computed(() => {
    if (!stored.value || !draft.value) return false;
    return JSON.stringify(draft.value) !== JSON.stringify(draftOf(stored.value));
  });

  function take(fresh: Security): void {
    stored.value = fresh;
    draft.value = draftOf(fresh);
    overtaken.value = false;
  }

  const discard = () => stored.value && take(stored.value);
  return { stored, draft, failure, saving, overtaken, dirty, take, discard };
}

/** One shop's security as it is edited. */
export function useSecurity(shop: () => string | undefined) {
  const own = createSecurity();
  const base = () => `/api/shops/${shop()}`;

  async function load(): Promise<void> {
    own.failure.value = undefined;
    const asked = shop();
    if (!asked) return;
    try {
      const { data } = await request<{ data: Security }>(`${base()}/security`);
      if (asked === shop()) own.take(data);
    } catch (thrown) {
      own.failure.value = failureFromThrown(thrown);
    }
  }

  /** Secrets hold at once, whatever is being edited beside them. */
  async function reloadSecrets(): Promise<void> {
    const { data } = await request<{ data: Security }>(`${base()}/security`);
    if (own.stored.value) own.stored.value = { ...own.stored.value, secrets: data.secrets };
  }

  async function createSecret(): Promise<string> {
    const { data } = await request<{ data: Api.NewSecret }>(`${base()}/secrets`, { method: "POST" });
    await reloadSecrets().catch(() => undefined);
    return data.secret;
  }

  async function retireSecret(id: string): Promise<void> {
    await request(`${base()}/secrets/${id}`, { method: "DELETE" });
    await reloadSecrets();
  }

  watch(shop, load, { immediate: true });
  return { ...own, load, save: () => saved(own, `${base()}/security`), createSecret, retireSecret };
}

/** Throws what the server refuses, except a change by somebody else. */
async function saved(own: ReturnType<typeof createSecurity>, path: string): Promise<boolean> {
  if (!own.stored.value || !own.draft.value || own.saving.value) return false;
  const { mode, required, inherits } = own.draft.value;
  const origins = inherits ? null : originsOf(own.draft.value);
  const body = { identity_mode: mode, identity_required: required, origins, version: own.stored.value.version };
  own.saving.value = true;
  try {
    own.take((await request<{ data: Security }>(path, { method: "PUT", body })).data);
    return true;
  } catch (thrown) {
    if (failureFromThrown(thrown).code !== "SECURITY_CHANGED") throw thrown;
    own.overtaken.value = true;
    return false;
  } finally {
    own.saving.value = false;
  }
}
