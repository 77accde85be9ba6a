// @vitest-environment happy-dom
import { createPinia, setActivePinia } from "pinia";
import { beforeAll, expect, test, vi } from "vitest";
import { createApp, defineComponent, h } from "vue";
import { createMemoryHistory, createRouter } from "vue-router";
import { addWords, i18n } from "../app/locale";
import type { Action } from "./action";
import { useKeys } from "./useKeys";
import * as views from "../sessions/viewWords";
import { en, zh } from "./words";

/** What browsers keep for themselves, whatever a page says. */
const RESERVED = new Set(["mod+t", "mod+w", "mod+n", "mod+shift+t", "mod+shift+w", "mod+shift+n"]);
/** Alt and a digit put in a quick reply. */
const OF_FIELDS = /^(alt\+|Enter|shift\+Enter|@)/;

let actions: readonly Action[];
const done: string[] = [];
let covered = false;

beforeAll(async () => {
  vi.stubGlobal("fetch", () => new Promise(() => undefined));
  Object.defineProperty(navigator, "locks", { value: { request: (_: string, act: () => unknown) => act() }, configurable: true });
  const { useActionTable } = await import("./table");
  const pinia = createPinia();
  setActivePinia(pinia);
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: "/", name: "sessions", component: { render: () => null } }] });
  const Desk = defineComponent(() => {
    actions = useActionTable(() => undefined);
    useKeys(actions.map((action) => ({ ...action, when: () => action.id !== "release", do: () => void done.push(action.id) })), () => covered);
    return () => h("div", [h("textarea"), h("div", { role: "dialog" }, [h("button", "in a dialog")])]);
  });
  const app = createApp(Desk).use(pinia).use(i18n).use(router);
  app.mount(document.body.appendChild(document.createElement("main")));
});

function press(where: string, key: string, held: KeyboardEventInit = {}): boolean {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...held });
  document.querySelector(where)?.dispatchEvent(event);
  return event.defaultPrevented;
}

test("no key means two things, and none is the browser's alone", () => {
  const all = actions.flatMap(({ keys = [] }) => keys);
  expect(all.filter((keys, index) => all.indexOf(keys) !== index)).toEqual([]);
  expect(all.filter((keys) => OF_FIELDS.test(keys))).toEqual([]);
  for (const { id, keys } of actions) if (keys) expect(keys.some((each) => !RESERVED.has(each)), id).toBe(true);
});

test("what the customers of the workbench before this one have in their fingers is there", () => {
  const keysOf = (id: string) => actions.find((action) => action.id === id)?.keys;
  expect(keysOf("find")).toContain("mod+shift+f");
  expect(keysOf("next")).toContain("mod+ArrowDown");
  expect(keysOf("previous")).toContain("mod+ArrowUp");
  expect(keysOf("leave")).toContain("Escape");
  expect(keysOf("transfer")).toContain("mod+shift+t");
  expect(keysOf("release")).toContain("mod+shift+r");
  expect(keysOf("note")).toContain("mod+shift+b");
  expect(keysOf("palette")).toContain("mod+/");
  expect(keysOf("sheet")).toContain("mod+?");
});

test("every action has a name of its own, and words in both languages", () => {
  addWords("actions", { en, zh });
  addWords("views", views);
  const { te } = i18n.global;
  const ids = actions.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { id, words } of actions) {
    for (const word of words) for (const locale of ["en", "zh"] as const) expect(te(word, locale), `${id} ${word} ${locale}`).toBe(true);
  }
  for (const id of Object.keys(en.also)) expect(ids).toContain(id);
});

test("keys do nothing while somebody types, or where a dialog lies above the desk", () => {
  done.length = 0;
  const field = document.querySelector("textarea")!;
  field.value = "Dear customer";
  expect(press("textarea", "t")).toBe(false);
  expect(press("textarea", "ArrowDown", { ctrlKey: true })).toBe(false);
  expect(press("[role=dialog] button", "t")).toBe(false);
  expect(press("textarea", "t", { isComposing: true })).toBe(false);
  expect(done).toEqual([]);
  expect(press("main", "t")).toBe(true);
  expect(press("textarea", "B", { ctrlKey: true, shiftKey: true })).toBe(true);
  field.value = "";
  expect(press("textarea", "ArrowDown", { ctrlKey: true })).toBe(true);
  expect(done).toEqual(["takeOver", "note", "next"]);
});

test("what cannot be done now is not done, and the browser does nothing else instead", () => {
  done.length = 0;
  expect(press("main", "R", { ctrlKey: true, shiftKey: true })).toBe(true);
  expect(done).toEqual([]);
});

test("what is typed for a palette that is on its way does nothing to the conversation", () => {
  done.length = 0;
  covered = true;
  expect([..."release"].map((key) => press("main", key))).not.toContain(false);
  expect(press("main", "Tab")).toBe(false);
  covered = false;
  expect(done).toEqual([]);
});
