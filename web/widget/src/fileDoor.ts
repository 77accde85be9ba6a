import type { Client } from "@kefu/api";
import { FETCH_MS, type FileDoor } from "../../files/door";

/** How files come into a conversation and out of it. `target`: where it is, once it is open. */
export function fileDoorOf(client: Client, chat: Pick<FileDoor, "session" | "target"> & { locale: () => string }): FileDoor {
  return {
    ...chat,
    locale: () => (chat.locale() === "zh" ? "zh" : "en"),
    fetch: ({ id }) => client.file(`/api/files/${id}`, { timeoutMs: FETCH_MS }),
  };
}
