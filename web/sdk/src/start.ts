import { Kefu, warn } from "./api";
import { configFrom } from "./config";
import { defineElement } from "./element";
import type { Call, FiidoKefu, Queue } from "./types";

/** Puts `FiidoKefu` on the page, makes the calls that were left for it, and plans the chat that the page asks for. */
export function start(): FiidoKefu {
  const there = window.FiidoKefu;
  if (there && "init" in there) {
    warn("the script was loaded twice; the first one goes on");
    return there;
  }
  const script = document.currentScript instanceof HTMLScriptElement ? document.currentScript : null;
  const kefu = new Kefu(script ? new URL(script.src).origin : location.origin);
  const { surface } = kefu;
  const left = [...leftIn(there), ...leftIn(window.FiidoChat)];
  window.FiidoKefu = window.FiidoChat = surface;
  const attributes = script ? configFrom((name) => script.getAttribute(`data-${name}`)) : {};
  if (window.FiidoKefuConfig || attributes.shop) kefu.plan({ ...attributes, ...window.FiidoKefuConfig });
  defineElement(kefu);
  surface.push(...left);
  return surface;
}

/** A list of calls, or a stub with a list in its `q`. */
function leftIn(queue: FiidoKefu | Queue | undefined): Call[] {
  if (Array.isArray(queue)) return queue;
  return queue && "q" in queue ? (queue.q ?? []) : [];
}
