import type { Api } from "@kefu/api";
import { defineStore } from "pinia";
import { ref } from "vue";
import type { LocationQuery } from "vue-router";
import { request } from "../accounts/client";
import { type Filters, noFilters } from "./filters";
import { TABS, type Tab } from "./list";
import { useSessionList } from "./sessionList";

export type View = Api.ViewOut;
/** What the list shows: a tab, what narrows it, and what is looked for. */
export interface Shown extends Filters {
  tab: Tab;
  keyword: string;
}

/** As the address says it; undefined where it says nothing of the list. */
export function shownIn(query: LocationQuery): Shown | undefined {
  const tab = TABS.find((each) => each === query.tab);
  if (!tab) return undefined;
  const shown: Shown = { ...noFilters(), tab, keyword: "" };
  for (const key of Object.keys(shown) as (keyof Shown)[]) {
    const said = query[key];
    if (key !== "tab" && typeof said === "string") shown[key] = said;
  }
  return shown;
}

/** For the address: what was chosen, and nothing else. */
export function queryFor(shown: Partial<Shown>): Record<string, string> {
  return Object.fromEntries(Object.entries(shown).filter(([, value]) => value));
}

/** The agent's own views, kept by the server. */
export const useViews = defineStore("views", () => {
  const list = useSessionList();
  const saved = ref<View[]>();

  const heard = ({ data }: { data: View[] }) => void (saved.value = data);
  const now = (): Shown => ({ ...list.filters, tab: list.tab, keyword: list.settled });
  const isNow = (view: View) => JSON.stringify(queryFor({ ...noFilters(), ...view.shown })) === JSON.stringify(queryFor({ ...noFilters(), ...now() }));

  function show({ tab, keyword = "", ...filters }: Partial<Shown> & { tab: Tab }): void {
    Object.assign(list, { tab, keyword, filters: { ...noFilters(), ...filters } });
  }

  return {
    saved,
    now,
    isNow,
    show,
    load: async () => heard(await request("/api/agent/views")),
    save: async (name: string) => heard(await request("/api/agent/views", { method: "PUT", body: { name, shown: now() } })),
    drop: async (view: View) => heard(await request(`/api/agent/views/${view.view_id}`, { method: "DELETE" })),
  };
});
