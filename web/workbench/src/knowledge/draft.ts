import type { Api } from "@kefu/api";
import type { Article } from "./knowledge";

/** What an author writes, as the fields of the form hold it. */
export interface Draft {
  kind: Article["kind"];
  lang: Article["lang"];
  title: string;
  body: string;
  category: string;
  tags: string;
  questions: string;
}

export const blank = (lang: Article["lang"], title = ""): Draft => ({
  kind: title ? "qa" : "article",
  lang,
  title,
  body: "",
  category: "",
  tags: "",
  questions: "",
});

export const draftOf = ({ kind, lang, title, body, category, tags, questions }: Article): Draft => ({
  kind,
  lang,
  title,
  body,
  category,
  tags: tags.join(", "),
  questions: questions.join("\n"),
});

const parted = (text: string, by: RegExp) => [...new Set(text.split(by).map((one) => one.trim()).filter(Boolean))];

/** As the API takes it. The text and the kind of a document are its file's. */
export function contentOf(draft: Draft) {
  const { kind, title, body, category } = draft;
  const words = { title: title.trim(), category: category.trim(), tags: parted(draft.tags, /[,，]/), questions: parted(draft.questions, /\n/) };
  return kind === "document" ? words : { ...words, kind, body };
}

export function newArticle(draft: Draft, shop: string): Api.NewArticle {
  return { ...(contentOf(draft) as Omit<Api.NewArticle, "lang">), lang: draft.lang, shop: shop || null };
}

export const isSound = (draft: Draft) => Boolean(draft.title.trim() && (draft.kind === "document" || draft.body.trim()));
export const isSame = (one: Draft, other: Draft) => JSON.stringify(one) === JSON.stringify(other);
