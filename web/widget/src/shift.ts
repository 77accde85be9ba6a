import type { Api, Client } from "@kefu/api";
import { onUnmounted, shallowRef } from "vue";

export type Shift = Api.ShiftStatus;

const LONGEST_MS = 5 * 60_000;
const SHORTEST_MS = 5_000;

/** Whether people serve the shop now; null until the server has said. Asked again when that is to change. */
export function useShift(client: Client, shop: string) {
  const shift = shallowRef<Shift | null>(null);
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function load(): Promise<void> {
    clearTimeout(timer);
    const answer = await client.request<{ data: Shift }>("/api/shift/status", { query: { shop } }).catch(() => null);
    if (answer) shift.value = answer.data;
    timer = setTimeout(() => void load(), untilChange(shift.value));
  }

  void load();
  onUnmounted(() => clearTimeout(timer));
  return { shift, load };
}

function untilChange(shift: Shift | null): number {
  const change = shift?.closes_at ?? shift?.next_opening;
  const left = change ? Date.parse(change) - Date.now() : LONGEST_MS;
  return Math.min(LONGEST_MS, Math.max(SHORTEST_MS, left));
}
