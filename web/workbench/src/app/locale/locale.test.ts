import { expect, test } from "vitest";
import { createI18n } from "vue-i18n";
import type { Locale } from ".";
import { type Catalogue, en } from "./en";
import { zh } from "./zh";

type Tree = { readonly [key: string]: string | Tree };

function entries(tree: Tree, path = ""): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === "string" ? [[path + key, value] as [string, string]] : entries(value, `${path}${key}.`),
  );
}

function placeholders(text: string): string[] {
  return [...new Set(text.match(/\{\w+\}/g))].toSorted();
}

// Of all features, also of those whose words are fetched later.
const features = import.meta.glob<Record<Locale, Tree>>("../../*/*ords.ts", { eager: true });

function catalogue(locale: Locale, common: Tree): Tree {
  const own = Object.entries(features).map(([path, words]) => [path.replaceAll(/\W/g, ""), words[locale]]);
  return { ...common, ...Object.fromEntries(own) };
}

const messages = { en: catalogue("en", en), zh: catalogue("zh", zh) };
const english = new Map(entries(messages.en));
const chinese = new Map(entries(messages.zh));

test("both catalogues have the same keys", () => {
  expect([...chinese.keys()].toSorted()).toEqual([...english.keys()].toSorted());
});

test("both catalogues fill the same placeholders", () => {
  const filled = (catalogue: Map<string, string>) => [...catalogue].map(([key, text]) => [key, placeholders(text)]);
  expect(Object.fromEntries(filled(chinese))).toEqual(Object.fromEntries(filled(english)));
});

/** What people of both languages write alike: names of products, addresses. */
const ALIKE = /priority\.vip$|providers\.(openai|azure)$|urlHints\.azure$/;

test("nothing is left empty or untranslated", () => {
  for (const [key, text] of chinese) {
    expect(text.trim(), key).not.toBe("");
    if (!ALIKE.test(key)) expect(text, key).not.toBe(english.get(key));
  }
});

test("every text can be shown", () => {
  for (const [locale, keys] of [["en", english], ["zh", chinese]] as const) {
    const { t } = createI18n({ legacy: false, locale, messages: messages as Record<Locale, object> as Record<Locale, Catalogue> }).global;
    for (const key of keys.keys()) expect(() => t(key), key).not.toThrow();
  }
});
