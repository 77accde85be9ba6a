import { type ApiError, failureFromThrown } from "@kefu/api";
import { computed, ref, shallowRef, watch } from "vue";
import { request } from "../accounts/client";
import { type Look, lookOf, type StoredLook } from "./look";

/** What is stored, what would be, and whether somebody else was faster. */
function createLook() {
  const stored = shallowRef<StoredLook>();
  const draft = ref<Look>();
  const failure = shallowRef<ApiError>();
  const saving = ref(false);
  /** The version that somebody else saved while this one was edited. */
  const theirs = ref<number>();
  const dirty = computed(() => {
    if (!stored.value || !draft.value) return false;
    return JSON.stringify(draft.value) !== JSON.stringify(lookOf(stored.value));
  });

  function take(fresh: StoredLook): void {
    stored.value = fresh;
    draft.value = lookOf(fresh);
    theirs.value = undefined;
  }

  const discard = () => stored.value && take(stored.value);
  return { stored, draft, failure, saving, theirs, dirty, take, discard };
}

/** One shop's look as it is edited. */
export function useLook(shop: () => string | undefined) {
  const own = createLook();
  const { stored, draft, failure, saving, theirs, take } = own;
  const path = () => `/api/shops/${shop()}/look`;

  async function load(): Promise<void> {
    failure.value = undefined;
    const asked = shop();
    if (!asked) return;
    try {
      const { data } = await request<{ data: StoredLook }>(path());
      if (asked === shop()) take(data);
    } catch (thrown) {
      failure.value = failureFromThrown(thrown);
    }
  }

  /** Throws what the server refuses, except a change by somebody else. */
  async function save(): Promise<boolean> {
    if (!stored.value || !draft.value || saving.value) return false;
    const body = { ...draft.value, version: theirs.value ?? stored.value.version };
    saving.value = true;
    try {
      take((await request<{ data: StoredLook }>(path(), { method: "PUT", body })).data);
      return true;
    } catch (thrown) {
      const { code, details } = failureFromThrown(thrown);
      if (code !== "LOOK_CHANGED") throw thrown;
      theirs.value = details.version as number;
      return false;
    } finally {
      saving.value = false;
    }
  }

  watch(shop, load, { immediate: true });
  return { ...own, load, save };
}
