import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Options } from "./npm";
import { KEFU } from "./page.fixture";
import type { FiidoKefu } from "./types";

const SCRIPT = `${KEFU}/sdk/fiido-kefu.js`;
let added: HTMLScriptElement[];
let loadKefu: (options: Options) => Promise<FiidoKefu>;

beforeEach(async () => {
  added = [];
  delete window.FiidoKefu;
  // Noted, not loaded: there is no Kefu here.
  vi.spyOn(document.head, "append").mockImplementation((script) => void added.push(script as HTMLScriptElement));
  vi.resetModules();
  ({ loadKefu } = await import("./npm"));
});

afterEach(() => delete window.FiidoKefu);

describe("the package", () => {
  it("loads the server's own script once and starts the chat for each caller", async () => {
    const init = vi.fn();
    const chat = { init: init.mockImplementation(() => chat) } as unknown as FiidoKefu;
    const both = Promise.all([loadKefu({ baseUrl: `${KEFU}/`, shop: "demo", nonce: "abc" }), loadKefu({ baseUrl: KEFU, shop: "demo" })]);
    expect(added.map(({ src, async, nonce }) => [src, async, nonce])).toEqual([[`${SCRIPT}?shop=demo`, true, "abc"]]);
    window.FiidoKefu = chat;
    added[0]!.dispatchEvent(new Event("load"));
    expect(await both).toEqual([chat, chat]);
    expect(init).toHaveBeenCalledWith({ baseUrl: KEFU, shop: "demo" });
    expect(await loadKefu({ baseUrl: KEFU })).toBe(chat);
    expect(added).toHaveLength(1);
  });

  it("says so when the script does not come, and may be asked again", async () => {
    const first = loadKefu({ baseUrl: KEFU });
    added[0]!.dispatchEvent(new Event("error"));
    await expect(first).rejects.toThrow(KEFU);
    void loadKefu({ baseUrl: KEFU });
    expect(added).toHaveLength(2);
  });

  it("holds the module with its types and nothing else", { timeout: 60_000 }, () => {
    const folder = `${import.meta.dirname}/../`;
    const packed = execFileSync("npm", ["pack", "--dry-run", "--json"], { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    const [{ files }] = JSON.parse(packed.slice(packed.indexOf("["))) as [{ files: { path: string }[] }];
    expect(files.map(({ path }) => path).toSorted()).toEqual([
      "README.md", "dist/npm.d.ts", "dist/npm.js", "dist/types.d.ts", "dist/types.js", "package.json",
    ]);
    const { exports } = JSON.parse(readFileSync(`${folder}package.json`, "utf8")) as { exports: { ".": Record<string, string> } };
    for (const path of Object.values(exports["."])) expect(existsSync(`${folder}${path}`)).toBe(true);
  });
});
