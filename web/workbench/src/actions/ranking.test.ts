import { expect, test } from "vitest";
import { ranked, used } from "./ranking";

const OFFERS = [
  { id: "release", title: "Release to the bot", also: "释放给 AI hand back" },
  { id: "reply", title: "Your reply", also: "回复内容 answer" },
  { id: "bot", title: "Bot", also: "机器人 Go to" },
  { id: "theme.dark", title: "Theme: Dark", also: "外观：深色" },
];
const found = (query: string, recent: string[] = []) => ranked(OFFERS, query, recent).map(({ id }) => id);

test("an action is found by its beginning, by another word for it and by the other language", () => {
  expect(found("rel")[0]).toBe("release");
  expect(found("answer")).toEqual(["reply"]);
  expect(found("释放")).toEqual(["release"]);
  expect(found("深色")).toEqual(["theme.dark"]);
});

test("words fit in any order, but all of them", () => {
  expect(found("dark theme")).toEqual(["theme.dark"]);
  expect(found("dark bot")).toEqual([]);
});

test("what is typed whole goes before what begins with it", () => {
  expect(ranked([{ id: "list", title: "会话列表", also: "" }, { id: "page", title: "会话", also: "" }], "会话", [])[0]?.id).toBe("page");
});

test("the better fit comes first, then what was used last", () => {
  expect(found("bot")).toEqual(["bot", "release"]);
  expect(found("", ["bot", "reply"])).toEqual(["bot", "reply", "release", "theme.dark"]);
});

test("what was used is remembered once, and not for ever", () => {
  expect(used(["a", "b"], "b")).toEqual(["b", "a"]);
  expect(used(["1", "2", "3", "4", "5", "6"], "7")).toEqual(["7", "1", "2", "3", "4", "5"]);
});
