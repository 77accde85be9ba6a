import { describe, expect, it } from "vitest";
import { rendered } from "./markdown";

function html(text: string): string {
  const box = document.createElement("div");
  box.append(rendered(text));
  return box.innerHTML;
}

describe("the bot's words", () => {
  it("keep lists, tables, code and emphasis", () => {
    expect(html("**F2** `E10`\n\n1. one\n2. two")).toContain("<strong>F2</strong> <code>E10</code>");
    const table = html("Sizes:\n\n| a |\n|---|\n| b |");
    expect(table).toContain("<td>b</td>");
    expect(table, "a wide one can be moved by keys").toContain('<table tabindex="0">');
  });

  it("open links elsewhere and only where that is safe", () => {
    expect(html("[guide](https://shop.example/g) and https://shop.example")).toMatch(/<a [^>]*href="https:\/\/shop\.example\/g"/);
    expect(html("[guide](https://shop.example/g)")).toMatch(/target="_blank"/);
    expect(html("[mail](mailto:a@b.example)")).toContain('href="mailto:a@b.example"');
    for (const bad of ["javascript:alert(1)", "data:text/html,x", "file:///etc", "//evil.example"]) {
      expect(html(`[x](${bad})`)).not.toContain("<a");
    }
  });

  it("cannot bring markup, images or scripts", () => {
    for (const bad of ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<b onclick=x>hi</b>", "![x](https://t.example/p.png)"]) {
      expect(html(bad)).not.toMatch(/<(script|img|b)\b/);
    }
  });
});
