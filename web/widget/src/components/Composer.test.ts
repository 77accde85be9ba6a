import { mount } from "@vue/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { fileDoor } from "../../../files/door";
import Composer from "./Composer.vue";

const status = "bot_active" as const;
const door = { locale: () => "en", session: () => "s", target: () => Promise.reject(new Error("no server")) };
const compose = (props: { status?: "bot_active" | "manual_live" } = {}, attachTo?: Element) =>
  mount(Composer, {
    props: { status, storageKey: "kefu.typed.demo", ...props },
    global: { provide: { [fileDoor as symbol]: door } },
    ...(attachTo && { attachTo }),
  });

describe("the composer", () => {
  beforeEach(() => sessionStorage.clear());

  it("sends trimmed text on Enter and is empty again", async () => {
    const composer = compose();
    const field = composer.get("textarea");
    await field.setValue("  Hello \n");
    await field.trigger("keydown", { key: "Enter" });
    expect(composer.emitted("send")).toEqual([["Hello", []]]);
    expect(field.element.value).toBe("");
  });

  it("does not send a new line, a word being composed, nothing or too much", async () => {
    const composer = compose();
    const field = composer.get("textarea");
    await field.setValue("你好");
    await field.trigger("keydown", { key: "Enter", shiftKey: true });
    await field.trigger("keydown", { key: "Enter", isComposing: true });
    await field.setValue("   ");
    await field.trigger("keydown", { key: "Enter" });
    await field.setValue("🚲".repeat(5_001));
    await field.trigger("keydown", { key: "Enter" });
    expect(composer.emitted("send")).toBeUndefined();
    const described = field.attributes("aria-describedby");
    expect(composer.get(`[id="${described}"]`).text()).toContain("1 ");
    await field.setValue("🚲".repeat(5_000));
    await field.trigger("keydown", { key: "Enter" });
    expect(composer.emitted("send")).toHaveLength(1);
  });

  it("remembers what is typed over a reload", async () => {
    await compose().get("textarea").setValue("half a thou");
    expect(compose().get("textarea").element.value).toBe("half a thou");
  });

  it("tells a person, and only a person, that the visitor types", async () => {
    vi.useFakeTimers();
    const alone = compose();
    await alone.get("textarea").setValue("a");
    expect(alone.emitted("typing")).toBeUndefined();
    const watched = compose({ status: "manual_live" });
    for (const text of ["a", "ab", "abc"]) await watched.get("textarea").setValue(text);
    expect(watched.emitted("typing")).toEqual([[true]]);
    vi.advanceTimersByTime(4_000);
    expect(watched.emitted("typing")).toEqual([[true], [false]]);
    vi.useRealTimers();
  });

  it("puts an emoji where the cursor is, found by keys, and goes back to the words", async () => {
    const composer = compose({}, document.body);
    await vi.waitFor(() => composer.get("button.emoji"));
    const field = composer.get("textarea");
    await field.setValue("Thanks! Bye");
    field.element.setSelectionRange(7, 7);
    await composer.get("button.emoji").trigger("click");
    await vi.waitFor(() => expect(document.activeElement?.textContent).toBe("😀"));
    for (const key of ["ArrowDown", "ArrowDown", "ArrowRight"]) document.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    expect(document.activeElement?.textContent).toBe("👎");
    (document.activeElement as HTMLElement).click();
    expect(field.element.value).toBe("Thanks!👎 Bye");
    const behind = vi.fn();
    document.body.addEventListener("keydown", behind);
    document.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
    expect([document.activeElement, behind.mock.calls.length]).toEqual([field.element, 0]);
    await vi.waitFor(() => expect(composer.find(".panel").exists()).toBe(false));
    document.body.removeEventListener("keydown", behind);
    composer.unmount();
  });

  it("offers a person only while the bot answers", () => {
    expect(compose().find(".person").exists()).toBe(true);
    expect(compose({ status: "manual_live" }).find(".person").exists()).toBe(false);
  });
});
