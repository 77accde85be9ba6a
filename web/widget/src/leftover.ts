import { ApiError, type Client, Outbox, type OutboxEntry, withLock } from "@kefu/api";
import { lasting } from "./store";

/** A message as the server takes it. */
export function bodyOf({ client_msg_id, content, files }: OutboxEntry) {
  return { client_msg_id, content, ...(files && { files: files.map(({ id }) => id) }) };
}

export function withFiles({ files }: OutboxEntry): Pick<OutboxEntry, "files"> {
  return files ? { files } : {};
}

/**
 * What was written in a session that goes on elsewhere and never acknowledged there. It is sent there once more, since
 * it may have been stored: then the server says so. What is refused is written where the talk goes on.
 */
export function leftOver(
  left: { session: string; token: string },
  client: (token: () => string) => Client,
  write: (entry: OutboxEntry) => void,
): Outbox {
  const { request } = client(() => left.token);
  const outbox: Outbox = new Outbox({
    session: left.session,
    storage: lasting,
    send: (entry) => request(`/api/sessions/${left.session}/messages`, { body: bodyOf(entry) }),
    onChange: () => undefined,
    onFailed: carry,
  });

  /** In the order in which it was written. */
  function carry(): void {
    for (const entry of outbox.entries().filter(({ failed }) => failed)) {
      outbox.remove(entry.client_msg_id);
      write(entry);
    }
  }

  // What the outbox before this one was just sending may be refused after all: it is done when the lock is free.
  void withLock(`kefu.outbox.${left.session}.`, () => Promise.resolve()).then(carry);
  return outbox;
}

export function superseded(): ApiError {
  return new ApiError(409, "SUPERSEDED", "another conversation has begun");
}
