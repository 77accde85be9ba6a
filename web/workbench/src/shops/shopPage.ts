import { failureFromThrown } from "@kefu/api";
import type { Ref } from "vue";
import { useI18n } from "vue-i18n";
import { explain } from "../app/errors";
import { useLeaving } from "../ui/leaving";
import { useShops } from "./shops";

interface Editing {
  failure: Ref<ReturnType<typeof failureFromThrown> | undefined>;
  dirty: Readonly<Ref<boolean>>;
  load: () => Promise<unknown>;
}

/**
 * What every page of a shop's settings does with its shop: reads it, the first one at first; says what came of saving; asks before
 * changes are left behind. `what`: where the page's words stand, among them `saved` and `leave`.
 */
export function useShopPage(what: string, shop: Ref<string | undefined>, { failure, dirty, load }: Editing) {
  const { t } = useI18n();
  const shops = useShops();
  const mayLeave = useLeaving(dirty, () => t(`${what}.leave`));

  async function begin(): Promise<void> {
    failure.value = undefined;
    try {
      await shops.load();
      if (shop.value) await load();
      else shop.value = shops.all[0]?.id;
    } catch (thrown) {
      failure.value = failureFromThrown(thrown);
    }
  }

  /** `act` says whether it was saved. */
  async function attempt(act: () => Promise<unknown>): Promise<void> {
    try {
      if ((await act()) === true) ElMessage.success({ message: t(`${what}.saved`), grouping: true });
    } catch (thrown) {
      ElMessage.error({ message: explain(thrown), grouping: true });
    }
  }

  function choose(id: string): void {
    if (mayLeave()) shop.value = id;
  }

  void begin();
  return { begin, attempt, choose };
}
