import { useRouter } from "vue-router";
import { useSessionList } from "../sessions/sessionList";
import { type Transfer, useTransfers } from "./transfers";

/** Takes over what a colleague passes on, and goes there. */
export function useAccepting() {
  const list = useSessionList();
  const router = useRouter();
  const transfers = useTransfers();

  return async (one: Transfer): Promise<void> => {
    if (!(await transfers.respond(one, "accept"))) return;
    if (list.tab !== "all") list.tab = "mine";
    await router.push({ name: "sessions", params: { name: one.session_name } });
  };
}
