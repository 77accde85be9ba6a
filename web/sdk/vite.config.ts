import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const tokens = readFileSync(fileURLToPath(new URL("../tokens.css", import.meta.url)), "utf8");

/** The launcher lives on other people's pages, where our custom properties do not exist: their values go in. */
function inlineTokens(): Plugin {
  return {
    name: "inline-tokens",
    enforce: "pre",
    transform(code, id) {
      if (!/(launcher|invite)\.css/.test(id)) return undefined;
      return code.replaceAll(/var\((--k-[\w-]+)\)/g, (_use, name: string) => {
        const value = new RegExp(`${name}: ([^;]+);`).exec(tokens)?.[1];
        if (!value) throw new Error(`${id} uses ${name}, which tokens.css does not define`);
        return value;
      });
    },
  };
}

const SCRIPTS = {
  production: { entry: "src/index.ts", formats: ["iife" as const], name: "kefu", fileName: () => "fiido-kefu.js" },
  compat: { entry: "src/compat.ts", formats: ["iife" as const], name: "kefu", fileName: () => "fiido-kefu-compat.js" },
  invite: { entry: "src/invite.ts", formats: ["es" as const], fileName: () => "invite.js" },
};

export default defineConfig(({ mode }) => ({
  plugins: [inlineTokens()],
  build: {
    outDir: "../../src/kefu/static/sdk",
    emptyOutDir: mode === "production",
    lib: SCRIPTS[mode as keyof typeof SCRIPTS] ?? SCRIPTS.production,
  },
  test: {
    name: "sdk",
    environment: "happy-dom",
    environmentOptions: { happyDOM: { url: "https://shop.example/bikes", settings: { enableIframePageLoading: true } } },
    include: ["src/**/*.test.ts"],
    css: true,
  },
}));
