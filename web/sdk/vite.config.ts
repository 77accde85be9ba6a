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
      if (!id.includes("launcher.css")) return undefined;
      return code.replaceAll(/var\((--k-[\w-]+)\)/g, (_use, name: string) => {
        const value = new RegExp(`${name}: ([^;]+);`).exec(tokens)?.[1];
        if (!value) throw new Error(`launcher.css uses ${name}, which tokens.css does not define`);
        return value;
      });
    },
  };
}

export default defineConfig(({ mode }) => ({
  plugins: [inlineTokens()],
  build: {
    outDir: "../../src/kefu/static/sdk",
    emptyOutDir: mode !== "compat",
    lib:
      mode === "compat"
        ? { entry: "src/compat.ts", formats: ["iife"], name: "kefu", fileName: () => "fiido-kefu-compat.js" }
        : { entry: "src/index.ts", formats: ["iife"], name: "kefu", fileName: () => "fiido-kefu.js" },
  },
  test: {
    name: "sdk",
    environment: "happy-dom",
    environmentOptions: { happyDOM: { url: "https://shop.example/bikes", settings: { enableIframePageLoading: true } } },
    include: ["src/**/*.test.ts"],
    css: true,
  },
}));
