// @vitest-environment happy-dom
import { beforeEach, expect, test } from "vitest";
import { remember, take } from "./attempt";

const attempt = { state: "s1", ticket: "t1", remember: true, next: "/search" };

beforeEach(() => sessionStorage.clear());

test("what was begun here comes back once", () => {
  remember(attempt);
  expect(take("s1")).toEqual(attempt);
  expect(take("s1")).toBeNull();
});

test("a state from elsewhere leads nowhere, and ends what was begun", () => {
  expect(take("s1")).toBeNull();
  remember(attempt);
  expect(take("s2")).toBeNull();
  expect(take("s1")).toBeNull();
});
