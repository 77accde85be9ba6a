import { defineConfig } from "vite";

export default defineConfig({
  base: "/static/demo-shop/",
  html: { cspNonce: "KEFU_NONCE" },
  build: { outDir: "../../src/kefu/static/demo-shop", emptyOutDir: true, modulePreload: false, assetsInlineLimit: 0 },
});
