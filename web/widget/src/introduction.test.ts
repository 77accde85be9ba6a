import { mount } from "@vue/test-utils";
import { afterEach, beforeEach, expect, it } from "vitest";
import { nextTick, shallowRef } from "vue";
import type { Bot } from "./bot";
import type { Chat } from "./chat";
import ConsentText from "./components/ConsentText.vue";
import IntroductionForm from "./components/IntroductionForm.vue";
import { useIntroduction } from "./introduction";
import { paint } from "./paint";
import { ofThisTab } from "./store";
import { locale } from "./words";

const consent = { mode: "ask", text: "We keep it a year.", link: "https://shop.example/privacy" } as const;
const BOT: Bot = {
  name: "Vela",
  icon_url: null,
  welcome: "Hi",
  suggestions: [],
  is_demo: false,
  palette: null,
  icon: "",
  avatar: "letter",
  asks: { name: "required", email: "optional" },
  consent,
  hours_notice: "",
};

beforeEach(() => void (locale.value = "en"));
afterEach(() => ofThisTab.clear());

const settled = async (work: Promise<unknown>) => Promise.race([work.then(() => true), new Promise((resolve) => setTimeout(() => resolve(false)))]);

/** In a chat whose visitor is new, or has talked before. */
function asking(bot: Bot | null, { isNew = true, more = {} as Partial<Bot> } = {}) {
  const [known, chat] = [shallowRef(bot), { isNew: shallowRef(isNew), isOpen: shallowRef(false) }];
  const load = () => Promise.resolve(void (known.value = { ...BOT, ...more }));
  return { chat, load, ...useIntroduction("demo", { bot: known, loaded: () => Promise.resolve(), load }, () => chat as unknown as Chat) };
}

it("holds the first word until the form is filled in, and asks once in a tab", async () => {
  const { said, form, give, load } = asking(null);
  await load();
  const waiting = said();
  expect(await settled(waiting)).toBe(false);
  expect(form.value).toMatchObject({ asks: BOT.asks, consent });
  const ada = { name: "Ada", agreed: consent.text };
  give(ada);
  expect(await waiting).toEqual(ada);
  const reloaded = asking(BOT);
  expect([reloaded.form.value, await reloaded.said()]).toEqual([null, ada]);
  reloaded.forget();
  expect(reloaded.form.value).not.toBeNull();
});

it("holds nobody up who need not say anything: known or signed in meanwhile, not asked, or the server away", async () => {
  const none = { ...BOT, asks: { name: "off", email: "off" }, consent: { ...consent, mode: "line" } } as const;
  for (const bot of [none, null]) expect(await asking(bot).said()).toBeNull();
  expect(await asking(BOT, { isNew: false }).said()).toBeNull();
  const { said, chat } = asking(BOT);
  const waiting = said();
  expect(await settled(waiting)).toBe(false);
  chat.isNew.value = false;
  expect(await waiting).toBeNull();
});

it("asks anybody for what the server wants, and for nothing that they have said already", async () => {
  const words = { ...consent, text: "We keep it two years." };
  const { said, give, demand, form, chat } = asking(BOT, { more: { consent: words } });
  give({ name: "Ada", email: "ada@shop.example", agreed: consent.text });
  expect(await demand(["agreed"])).toBe(true);
  const waiting = said();
  expect(await settled(waiting)).toBe(false);
  expect(form.value).toEqual({ asks: { name: "off", email: "off" }, consent: words });
  give({ name: "", agreed: words.text });
  expect(await waiting).toEqual({ name: "Ada", email: "ada@shop.example", agreed: words.text });
  chat.isNew.value = false;
  expect(await demand(["name"])).toBe(true);
  expect(form.value?.asks).toEqual({ name: "required", email: "off" });
  chat.isOpen.value = true;
  expect([form.value, await demand(["name"])], "another tab has opened it").toEqual([null, true]);
});

it("says when there is nothing to ask for what the server wants", async () => {
  expect(await asking(BOT, { isNew: false, more: { consent: { ...consent, mode: "off" } } }).demand(["agreed"])).toBe(false);
});

it("says what is wrong beside the field, and gives what was written", async () => {
  const form = mount(IntroductionForm, { props: { asks: BOT.asks, consent } });
  await form.trigger("submit");
  expect(form.findAll("[role=alert]").map((each) => each.text())).toEqual(["Tell us what to call you", "Please agree first"]);
  await form.get("[name=name]").setValue(" Ada ");
  await form.get("[name=email]").setValue("ada@");
  await form.get("[name=agreed]").setValue(true);
  await form.trigger("submit");
  expect(form.findAll("[role=alert]").map((each) => each.text())).toEqual([expect.stringContaining("Enter a full address")]);
  expect(form.emitted("give")).toBeUndefined();
  await form.get("[name=email]").setValue("ada@shop.example");
  await form.trigger("submit");
  expect(form.emitted("give")).toEqual([[{ name: "Ada", email: "ada@shop.example", agreed: consent.text }]]);
});

it("shows the shop's words as text, with its link beside them", () => {
  const text = mount(ConsentText, { props: { consent: { ...consent, text: "<b>We</b> keep it." } } });
  expect(text.text()).toContain("<b>We</b> keep it.");
  expect(text.get("a").attributes()).toMatchObject({ href: consent.link, target: "_blank", rel: "noopener noreferrer" });
});

it("takes the shop's colours and gives them back", async () => {
  const { style } = document.documentElement;
  paint({ color: "#b3261e", on_color: "#ffffff", hover: "#9e211a", text: ["#b3261e", "#e4908b"] });
  await nextTick();
  expect(style.getPropertyValue("--k-accent-strong")).toBe("#b3261e");
  expect(style.getPropertyValue("--k-accent-text")).toBe("light-dark(#b3261e,#e4908b)");
  paint(null);
  expect(style.getPropertyValue("--k-accent-strong")).toBe("");
});
