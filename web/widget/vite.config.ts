import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vitest/config";

export default defineConfig({
  base: "/static/widget/",
  html: { cspNonce: "KEFU_NONCE" },
  plugins: [vue()],
  define: { __VUE_OPTIONS_API__: false, __VUE_PROD_DEVTOOLS__: false },
  build: { outDir: "../../src/kefu/static/widget", emptyOutDir: true },
  test: { name: "widget", environment: "happy-dom", include: ["src/**/*.test.ts"] },
});
