import { type Envelope, isEnvelope, type ToFrame, type ToHost } from "../../sdk/src/protocol";

export interface Host {
  tell: (message: ToHost) => void;
  close: () => void;
}

/** The door to the shop's page: exact origin out, exact origin and source in. */
export function connectHost(parentOrigin: string, onMessage: (message: ToFrame) => void): Host {
  const embedded = parentOrigin !== "" && window.parent !== window;

  function receive(event: MessageEvent): void {
    if (event.origin !== parentOrigin || event.source !== window.parent || !isEnvelope(event.data)) return;
    onMessage(event.data as Envelope<ToFrame>);
  }

  if (embedded) window.addEventListener("message", receive);
  return {
    tell: (message) => {
      if (embedded) window.parent.postMessage({ kefu: 1, ...message } satisfies Envelope<ToHost>, parentOrigin);
    },
    close: () => window.removeEventListener("message", receive),
  };
}
