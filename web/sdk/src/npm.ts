import type { Config, FiidoKefu } from "./types.js";

export type * from "./types.js";

export interface Options extends Config {
  /** Where Kefu runs: the script comes from there, so that page and server always speak the same version. */
  baseUrl: string;
  /** For a page whose content security policy names its scripts by a nonce. */
  nonce?: string;
}

let loading: Promise<FiidoKefu> | undefined;

/**
 * Loads the script once and starts the chat; the same chat for every caller. Rejects when the script does not come, and may
 * be called again then. Only for browsers; importing this module does nothing.
 */
export async function loadKefu({ nonce, ...config }: Options): Promise<FiidoKefu> {
  loading ??= scriptFrom(config, nonce).catch((failed: unknown) => {
    loading = undefined;
    throw failed;
  });
  return (await loading).init(config);
}

function scriptFrom({ baseUrl, shop }: Options, nonce = ""): Promise<FiidoKefu> {
  const there = window.FiidoKefu;
  if (there && "init" in there) return Promise.resolve(there);
  const script = document.createElement("script");
  script.src = `${baseUrl.replace(/\/+$/, "")}/sdk/fiido-kefu.js${shop ? `?shop=${encodeURIComponent(shop)}` : ""}`;
  script.async = true;
  script.nonce = nonce;
  return new Promise((resolve, reject) => {
    script.addEventListener("load", () => resolve(window.FiidoKefu as FiidoKefu));
    script.addEventListener("error", () => {
      script.remove();
      reject(new Error(`Kefu's script did not come from ${baseUrl}`));
    });
    document.head.append(script);
  });
}
