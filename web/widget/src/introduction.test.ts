import { mount } from "@vue/test-utils";
import { afterEach, beforeEach, expect, it } from "vitest";
import { nextTick, shallowRef } from "vue";
import type { Bot } from "./bot";
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

it("holds the first word until the form is filled in, and asks once in a tab", async () => {
  const bot = shallowRef<Bot | null>(null);
  let known: () => void;
  const loaded = new Promise<void>((resolve) => (known = resolve));
  const { said, isWanted, give } = useIntroduction("demo", bot, () => loaded);
  const waiting = said();
  bot.value = BOT;
  known!();
  expect(await settled(waiting)).toBe(false);
  expect(isWanted.value).toBe(true);
  const ada = { name: "Ada", agreed: true };
  give(ada);
  expect(await waiting).toEqual(ada);
  const reloaded = useIntroduction("demo", bot, () => loaded);
  expect([reloaded.isWanted.value, await reloaded.said()]).toEqual([false, ada]);
  reloaded.forget();
  expect(reloaded.isWanted.value).toBe(true);
});

it("holds nobody up who need not say anything: signed in meanwhile, not asked, or the server away", async () => {
  const none = { ...BOT, asks: { name: "off", email: "off" }, consent: { ...consent, mode: "line" } } as const;
  for (const bot of [none, null]) expect(await useIntroduction("demo", shallowRef(bot), () => Promise.resolve()).said()).toBeNull();
  const { said, release } = useIntroduction("demo", shallowRef(BOT), () => Promise.resolve());
  const waiting = said();
  expect(await settled(waiting)).toBe(false);
  release();
  expect(await waiting).toBeNull();
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
  expect(form.emitted("give")).toEqual([[{ name: "Ada", email: "ada@shop.example", agreed: true }]]);
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
