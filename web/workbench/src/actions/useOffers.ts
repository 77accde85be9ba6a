import { useStorage } from "@vueuse/core";
import { computed, type Ref } from "vue";
import { useI18n } from "vue-i18n";
import type { Locale } from "../app/locale";
import { type Action, GROUPS } from "./action";
import { type Offer, ranked, used } from "./ranking";
import type { Keys } from "./keys";

/** Of a query's answers, so that the customers below them are in sight. */
const MOST = 8;

export interface Item extends Offer {
  detail: string;
  keys?: Keys | undefined;
  do: () => unknown;
}

export interface Section {
  title: string;
  items: readonly Item[];
}

/** What can be done now, as the palette shows it: without a query by groups, the last used first; with one the best first. */
export function useOffers(actions: readonly Action[], query: Ref<string>) {
  const { t, te, locale } = useI18n();
  // Which conversation it was done to is not kept.
  const recent = useStorage<string[]>("kefu.recentActions", []);
  const saidIn = (words: readonly string[], language: Locale) =>
    words.map((word) => t(word, {}, { locale: language })).join(language === "zh" ? "：" : ": ");

  function itemOf(action: Action): Item & { group: Action["group"] } {
    const also = (["zh", "en"] as const).flatMap((language) => [
      saidIn(action.words, language),
      te(`actions.also.${action.id}`) ? t(`actions.also.${action.id}`, {}, { locale: language }) : "",
      t(`actions.groups.${action.group}`, {}, { locale: language }),
    ]);
    const title = saidIn(action.words, locale.value as Locale);
    const { id, group, keys } = action;
    const act = () => {
      recent.value = used(recent.value, id);
      return action.do();
    };
    return { id, group, title, also: also.join(" "), detail: t(`actions.groups.${group}`), keys: keys?.[0], do: act };
  }

  const items = computed(() => actions.filter((each) => each.id !== "palette" && (each.when?.() ?? true)).map(itemOf));

  return computed<Section[]>(() => {
    if (query.value.trim()) return [{ title: "", items: ranked(items.value, query.value, recent.value).slice(0, MOST) }];
    const last = recent.value.flatMap((id) => items.value.find((item) => item.id === id) ?? []);
    const groups = GROUPS.map((group) => ({
      title: t(`actions.groups.${group}`),
      items: items.value.filter((item) => item.group === group && !last.includes(item)).map((item) => ({ ...item, detail: "" })),
    }));
    return [{ title: t("actions.recent"), items: last }, ...groups].filter((section) => section.items.length > 0);
  });
}
