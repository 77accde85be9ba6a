import { type Api, type ApiError, failureFromThrown } from "@kefu/api";
import { computed, ref, shallowRef, watch } from "vue";
import { request } from "../accounts/client";

export type Routing = Required<Api.Routing>;

const [LEAST, MOST] = [10, 600];
const isSame = (a: Routing, b: Routing) => a.mode === b.mode && a.accept_seconds === b.accept_seconds;

/** How one shop assigns, as it is edited. `theirs`: what somebody else saved meanwhile. */
export function useRoutingEditing(shop: () => string) {
  const stored = shallowRef<Routing>();
  const draft = ref<Routing>();
  const theirs = shallowRef<Routing>();
  const failure = shallowRef<ApiError>();
  const saving = ref(false);
  const path = () => `/api/shops/${shop()}/routing`;

  const dirty = computed(() => Boolean(stored.value && draft.value && !isSame(stored.value, draft.value)));
  const sound = computed(() => {
    const seconds = draft.value?.accept_seconds ?? 0;
    return Number.isInteger(seconds) && seconds >= LEAST && seconds <= MOST;
  });

  function take(fresh: Routing): void {
    [stored.value, draft.value, theirs.value] = [fresh, { ...fresh }, undefined];
  }

  async function load(): Promise<void> {
    failure.value = undefined;
    const asked = shop();
    if (!asked) return;
    try {
      const { data } = await request<{ data: Routing }>(path());
      if (asked === shop()) take(data);
    } catch (thrown) {
      failure.value = failureFromThrown(thrown);
    }
  }

  /** Whether it was saved. Throws what the server refuses, except a change by somebody else. */
  async function save(): Promise<boolean> {
    if (!draft.value || !stored.value || saving.value) return false;
    saving.value = true;
    try {
      const body = { ...draft.value, seen: theirs.value ?? stored.value };
      take((await request<{ data: Routing }>(path(), { method: "PUT", body })).data);
      return true;
    } catch (thrown) {
      const { code, details } = failureFromThrown(thrown);
      if (code !== "ROUTING_CHANGED") throw thrown;
      theirs.value = details.routing as Routing;
      return false;
    } finally {
      saving.value = false;
    }
  }

  watch(shop, load, { immediate: true });
  return { stored, draft, theirs, failure, saving, dirty, sound, take, load, save };
}
