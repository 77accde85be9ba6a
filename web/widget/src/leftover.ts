import { type Client, Outbox, withLock } from "@kefu/api";
import { lasting } from "./store";

/**
 * What was written in a session that goes on elsewhere and never acknowledged there. It is sent there once more, since
 * it may have been stored: then the server says so. What is refused is written where the talk goes on.
 */
export function leftOver(
  left: { session: string; token: string },
  client: (token: () => string) => Client,
  write: (content: string) => void,
): Outbox {
  const { request } = client(() => left.token);
  const outbox: Outbox = new Outbox({
    session: left.session,
    storage: lasting,
    send: ({ client_msg_id, content }) =>
      request(`/api/sessions/${left.session}/messages`, { body: { client_msg_id, content } }),
    onChange: () => undefined,
    onFailed: carry,
  });

  /** In the order in which it was written. */
  function carry(): void {
    for (const { client_msg_id, content } of outbox.entries().filter((entry) => entry.failed)) {
      outbox.remove(client_msg_id);
      write(content);
    }
  }

  // What the outbox before this one was just sending may be refused after all: it is done when the lock is free.
  void withLock(`kefu.outbox.${left.session}.`, () => Promise.resolve()).then(carry);
  return outbox;
}
