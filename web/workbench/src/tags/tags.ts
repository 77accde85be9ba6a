import { type Api, type ApiError, failureFromThrown } from "@kefu/api";
import { defineStore } from "pinia";
import { computed, ref, shallowRef, watch } from "vue";
import { request } from "../accounts/client";
import { i18n } from "../app/locale";

export type Tag = Api.TagOut;

interface Listed {
  data: Api.TagList;
}

/** The team's tags, in the chosen language. */
export const useTags = defineStore("tags", () => {
  const tags = shallowRef<readonly Tag[]>([]);
  const groups = shallowRef<Api.TagList["groups"]>([]);
  const failure = shallowRef<ApiError>();
  const asked = ref(false);
  const byId = computed(() => new Map(tags.value.map((tag) => [tag.id, tag])));

  async function load(): Promise<void> {
    asked.value = true;
    try {
      const { data } = await request<Listed>("/api/tags");
      [tags.value, groups.value, failure.value] = [data.tags, data.groups, undefined];
    } catch (thrown) {
      failure.value = failureFromThrown(thrown);
    }
  }

  /** The first who needs them asks; a tag that is not among them was made since. */
  function need(ids: readonly string[] = []): void {
    if (!asked.value || (tags.value.length > 0 && ids.some((id) => !byId.value.has(id)))) void load();
  }

  const add = (session: string, id: string) => request(pathOf(session), { body: { tag_id: id } });
  const remove = (session: string, id: string) => request(`${pathOf(session)}/${id}`, { method: "DELETE" });

  async function put(id: string | undefined, fields: Partial<Api.NewTag & Api.TagChange>): Promise<void> {
    await request(id ? `/api/tags/${id}` : "/api/tags", { method: id ? "PUT" : "POST", body: fields });
    await load();
  }

  watch(i18n.global.locale, () => asked.value && load());
  return { tags, groups, failure, byId, load, need, add, remove, put };
});

function pathOf(session: string): string {
  return `/api/sessions/${encodeURIComponent(session)}/tags`;
}
