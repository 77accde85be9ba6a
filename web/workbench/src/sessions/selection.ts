import { defineStore } from "pinia";
import { computed, ref, shallowRef, watch } from "vue";
import { useAccount } from "../accounts/account";
import { between } from "./list";
import { useSessionList } from "./sessionList";

/** Which of the list's conversations are chosen, to do something to all of them. */
export const useSelection = defineStore("selection", () => {
  const account = useAccount();
  const list = useSessionList();
  const isAllowed = computed(() => account.may("sessions.annotate") || account.may("sessions.assign"));
  const isOn = ref(false);
  const picked = shallowRef<ReadonlySet<string>>(new Set());
  /** Where a range begins. */
  let anchor: string | undefined;

  const chosen = computed(() => (isOn.value ? list.visible.filter((each) => picked.value.has(each.session_name)) : []));
  const isWhole = computed(() => list.visible.length > 0 && chosen.value.length === list.visible.length);

  /** `isRange`: from the last one on, all as this one becomes. */
  function toggle(name: string, isRange = false): void {
    if (!isAllowed.value) return;
    const next = new Set(picked.value);
    const on = !next.has(name);
    for (const each of isRange ? between(list.visible, anchor ?? name, name) : [name]) {
      if (on) next.add(each);
      else next.delete(each);
    }
    [picked.value, isOn.value, anchor] = [next, true, name];
  }

  function pick(names: Iterable<string>): void {
    picked.value = new Set(names);
  }

  function switchTo(on: boolean): void {
    isOn.value = on;
    anchor = undefined;
    pick([]);
  }

  const pickAll = () => pick(isWhole.value ? [] : list.visible.map((each) => each.session_name));
  watch([() => list.tab, () => list.asked], () => isOn.value && pick([]));

  return { isAllowed, isOn, picked, chosen, isWhole, toggle, pick, pickAll, switchTo };
});
