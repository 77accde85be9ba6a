import { allMessages, type Api, type Brought, type Client } from "@kefu/api";
import { ref, shallowRef } from "vue";

export type PastSession = Api.PastSession;

/** The visitor's other conversations, as far as they were asked for. */
export function usePast(client: Client) {
  const sessions = shallowRef<readonly PastSession[]>([]);
  const next = ref<string | null>("");
  const loading = ref(false);
  const failed = ref(false);

  async function more(): Promise<void> {
    if (loading.value || next.value === null) return;
    loading.value = true;
    failed.value = false;
    try {
      const query = { cursor: next.value };
      const { data } = await client.request<Api.PastSessionsData>("/api/visitor/sessions", { query });
      sessions.value = [...sessions.value, ...data.sessions];
      next.value = data.next_cursor;
    } catch {
      failed.value = true;
    }
    loading.value = false;
  }

  void more();
  return { sessions, next, loading, failed, more };
}

/** All that was said in one of them, or only what others brought to it. Throws `ApiError`. */
export function saidIn(client: Client, session: string, brought = false): Promise<Brought[]> {
  return allMessages(client.request, `/api/visitor/sessions/${session}/messages`, brought);
}
