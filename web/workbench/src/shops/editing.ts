import { type Api, type ApiError, failureFromThrown } from "@kefu/api";
import { useDebounceFn } from "@vueuse/core";
import { computed, ref, shallowRef, watch } from "vue";
import { request } from "../accounts/client";
import { addressesOf, type Draft, draftOf, hoursOf, isSound, type StoredHours } from "./draft";

const PREVIEW_AFTER_MS = 300;

/** What is stored, what would be, and whether somebody else was faster. */
function createHours() {
  const stored = shallowRef<StoredHours>();
  const draft = ref<Draft>();
  const preview = shallowRef<readonly Api.DayOut[]>([]);
  const failure = shallowRef<ApiError>();
  /** The version that somebody else saved while this one was edited. */
  const theirs = ref<number>();
  const saving = ref(false);

  const dirty = computed(() => {
    if (!stored.value || !draft.value) return false;
    return JSON.stringify(draft.value) !== JSON.stringify(draftOf(stored.value));
  });
  const sound = computed(() => draft.value !== undefined && isSound(draft.value));

  function take(fresh: StoredHours): void {
    stored.value = fresh;
    draft.value = draftOf(fresh);
    preview.value = fresh.preview;
    theirs.value = undefined;
  }

  function discard(): void {
    if (stored.value) take(stored.value);
  }

  return { stored, draft, preview, failure, theirs, saving, dirty, sound, take, discard };
}

/** One shop's hours as they are edited. */
export function useHoursEditing(shop: () => string | undefined) {
  const own = createHours();
  const path = () => `/api/shops/${shop()}/hours`;

  async function load(): Promise<void> {
    own.failure.value = undefined;
    const asked = shop();
    if (!asked) return;
    try {
      const { data } = await request<{ data: StoredHours }>(path());
      if (asked === shop()) own.take(data);
    } catch (thrown) {
      own.failure.value = failureFromThrown(thrown);
    }
  }

  const save = (hours: Api.Hours | null) => saved(own, path(), hours);
  const saveDraft = () => (own.draft.value ? save(hoursOf(own.draft.value)) : Promise.resolve(false));

  const look = useDebounceFn(async () => {
    if (!own.draft.value || !own.sound.value) return;
    const body = hoursOf(own.draft.value);
    const answer = await request<{ data: Api.DayOut[] }>(`${path()}/preview`, { body }).catch(() => null);
    const isSame = own.draft.value && JSON.stringify(hoursOf(own.draft.value)) === JSON.stringify(body);
    if (answer && isSame) own.preview.value = answer.data;
  }, PREVIEW_AFTER_MS);

  watch(own.draft, () => own.dirty.value && void look(), { deep: true });
  watch(shop, load, { immediate: true });

  return { ...own, load, save, saveDraft };
}

/** `hours` null: as the installation says. Throws what the server refuses, except a change by somebody else. */
async function saved(own: ReturnType<typeof createHours>, path: string, hours: Api.Hours | null): Promise<boolean> {
  if (!own.stored.value || !own.draft.value || own.saving.value) return false;
  const version = own.theirs.value ?? own.stored.value.version;
  const body = { hours, mail_to: addressesOf(own.draft.value), version };
  own.saving.value = true;
  try {
    own.take((await request<{ data: StoredHours }>(path, { method: "PUT", body })).data);
    return true;
  } catch (thrown) {
    const { code, details } = failureFromThrown(thrown);
    if (code !== "HOURS_CHANGED") throw thrown;
    own.theirs.value = details.version as number;
    return false;
  } finally {
    own.saving.value = false;
  }
}
