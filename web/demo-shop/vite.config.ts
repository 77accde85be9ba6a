import { defineConfig } from "vite";

export default defineConfig({
  base: "/static/demo-shop/",
  build: { outDir: "../../src/kefu/static/demo-shop", emptyOutDir: true, modulePreload: false, assetsInlineLimit: 0 },
});
