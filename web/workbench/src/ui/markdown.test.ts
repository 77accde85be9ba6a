// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { rendered } from "./markdown";

test("what a message says is shown, what it smuggles is not", () => {
  const html = rendered("**Hi** <img src=x onerror=alert(1)> [x](javascript:alert(1)) ![t](https://a.example/p.png)");
  expect(html).toContain("<strong>Hi</strong>");
  expect(html).not.toMatch(/<img|href="javascript/);
});

test("links leave the desk open", () => {
  const html = rendered("https://shop.example/a");
  expect(html).toContain('target="_blank"');
  expect(html).toContain('rel="noopener noreferrer"');
});
