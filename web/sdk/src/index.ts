import { Kefu } from "./api";
import { type Config, configFrom } from "./config";
import { defineElement } from "./element";

type Call = [method: string, ...args: unknown[]];
/** Before the script has come, a page may leave its calls here: `FiidoKefu.push(["open"])`, or in a stub's `q`. */
type Stub = Call[] | { q?: Call[] };

declare global {
  interface Window {
    FiidoKefu?: Kefu | Stub;
    FiidoKefuConfig?: Config;
    FiidoChat?: { init: Kefu["init"] };
  }
}

function start(script: HTMLScriptElement | null): void {
  if (window.FiidoKefu instanceof Kefu) return;
  const left = leftBy(window.FiidoKefu);
  const kefu = new Kefu(script ? new URL(script.src).origin : location.origin);
  window.FiidoKefu = kefu;
  window.FiidoChat = { init: kefu.init };
  defineElement(kefu);
  const attributes = script ? configFrom((name) => script.getAttribute(`data-${name}`)) : {};
  if (window.FiidoKefuConfig || attributes.shop) kefu.init({ ...attributes, ...window.FiidoKefuConfig });
  for (const [method, ...args] of left) (kefu[method as keyof Kefu] as (...given: unknown[]) => void)(...args);
}

function leftBy(stub: Kefu | Stub | undefined): Call[] {
  if (Array.isArray(stub)) return stub;
  return stub && "q" in stub ? (stub.q ?? []) : [];
}

start(document.currentScript instanceof HTMLScriptElement ? document.currentScript : null);
