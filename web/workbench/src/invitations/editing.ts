import { type ApiError, failureFromThrown } from "@kefu/api";
import { computed, ref, shallowRef, watch } from "vue";
import { request } from "../accounts/client";
import { type Draft, draftOf, isSound, sent, type Stored } from "./draft";

/** What is stored, what would be, and whether somebody else was faster. */
function createInvitations() {
  const stored = shallowRef<Stored>();
  const drafts = ref<Draft[]>();
  const failure = shallowRef<ApiError>();
  /** The version that somebody else saved meanwhile. */
  const theirs = ref<number>();
  const saving = ref(false);

  const dirty = computed(() => stored.value !== undefined && JSON.stringify(drafts.value) !== JSON.stringify(draftOf(stored.value)));
  const sound = computed(() => drafts.value?.every(isSound) ?? false);

  function take(fresh: Stored): void {
    [stored.value, drafts.value, theirs.value] = [fresh, draftOf(fresh), undefined];
  }

  return { stored, drafts, failure, theirs, saving, dirty, sound, take };
}

/** One shop's invitations as they are edited. */
export function useInvitations(shop: () => string) {
  const own = createInvitations();
  const path = () => `/api/shops/${shop()}/invitations`;

  async function load(): Promise<void> {
    own.failure.value = undefined;
    const asked = shop();
    if (!asked) return;
    try {
      const { data } = await request<{ data: Stored }>(path());
      if (asked === shop()) own.take(data);
    } catch (thrown) {
      own.failure.value = failureFromThrown(thrown);
    }
  }

  watch(shop, load, { immediate: true });
  return { ...own, load, save: () => saved(own, path()) };
}

/** Whether it was saved. Throws what the server refuses, except a change by somebody else. */
async function saved(own: ReturnType<typeof createInvitations>, path: string): Promise<boolean> {
  if (!own.drafts.value || !own.stored.value || own.saving.value) return false;
  own.saving.value = true;
  const body = { invitations: sent(own.drafts.value), version: own.theirs.value ?? own.stored.value.version };
  try {
    own.take((await request<{ data: Stored }>(path, { method: "PUT", body })).data);
    return true;
  } catch (thrown) {
    const { code, details } = failureFromThrown(thrown);
    if (code !== "INVITATIONS_CHANGED") throw thrown;
    own.theirs.value = details.version as number;
    return false;
  } finally {
    own.saving.value = false;
  }
}
