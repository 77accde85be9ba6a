import { type Api, type ApiError, failureFromThrown } from "@kefu/api";
import { computed, ref, shallowRef, watch } from "vue";
import { request } from "../accounts/client";

export type Routing = Required<Api.Routing>;

const [LEAST, MOST] = [10, 600];
const isSame = (a: Routing, b: Routing) => a.mode === b.mode && a.accept_seconds === b.accept_seconds;

/** What is stored, what would be, and what somebody else saved meanwhile. */
function createRouting() {
  const stored = shallowRef<Routing>();
  const draft = ref<Routing>();
  const theirs = shallowRef<Routing>();
  const failure = shallowRef<ApiError>();
  const saving = ref(false);

  const dirty = computed(() => Boolean(stored.value && draft.value && !isSame(stored.value, draft.value)));
  const sound = computed(() => {
    const seconds = draft.value?.accept_seconds ?? 0;
    return Number.isInteger(seconds) && seconds >= LEAST && seconds <= MOST;
  });

  function take(fresh: Routing): void {
    [stored.value, draft.value, theirs.value] = [fresh, { ...fresh }, undefined];
  }

  return { stored, draft, theirs, failure, saving, dirty, sound, take };
}

/** How one shop assigns, as it is edited. */
export function useRoutingEditing(shop: () => string) {
  const own = createRouting();
  const path = () => `/api/shops/${shop()}/routing`;

  async function load(): Promise<void> {
    own.failure.value = undefined;
    const asked = shop();
    if (!asked) return;
    try {
      const { data } = await request<{ data: Routing }>(path());
      if (asked === shop()) own.take(data);
    } catch (thrown) {
      own.failure.value = failureFromThrown(thrown);
    }
  }

  watch(shop, load, { immediate: true });
  return { ...own, load, save: () => saved(own, path()) };
}

/** Whether it was saved. Throws what the server refuses, except a change by somebody else. */
async function saved(own: ReturnType<typeof createRouting>, path: string): Promise<boolean> {
  if (!own.draft.value || !own.stored.value || own.saving.value) return false;
  own.saving.value = true;
  try {
    const body = { ...own.draft.value, seen: own.theirs.value ?? own.stored.value };
    own.take((await request<{ data: Routing }>(path, { method: "PUT", body })).data);
    return true;
  } catch (thrown) {
    const { code, details } = failureFromThrown(thrown);
    if (code !== "ROUTING_CHANGED") throw thrown;
    own.theirs.value = details.routing as Routing;
    return false;
  } finally {
    own.saving.value = false;
  }
}
