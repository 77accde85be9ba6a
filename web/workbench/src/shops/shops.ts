import type { Api } from "@kefu/api";
import { defineStore } from "pinia";
import { ref, shallowRef } from "vue";
import { request } from "../accounts/client";
import { i18n } from "../app/locale";

/** The shops, the default one first. */
export const useShops = defineStore("shops", () => {
  const all = shallowRef<readonly Api.ShopRef[]>([]);
  const isLoaded = ref(false);

  /** Throws what the server refuses. */
  async function load(): Promise<void> {
    all.value = (await request<{ data: Api.ShopRef[] }>("/api/shops")).data;
    isLoaded.value = true;
  }

  function nameOf(id: string): string {
    const shop = all.value.find((each) => each.id === id);
    return shop?.name[i18n.global.locale.value] ?? id;
  }

  return { all, isLoaded, load, nameOf };
});
