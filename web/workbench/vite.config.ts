import vue from "@vitejs/plugin-vue";
import AutoImport from "unplugin-auto-import/vite";
import { ElementPlusResolver } from "unplugin-vue-components/resolvers";
import Components from "unplugin-vue-components/vite";
import { defineConfig } from "vitest/config";

/** Tests of modules show no messages, and all of Element Plus would take them seconds to read. */
const isTest = process.env.VITEST === "true";
const server = "http://127.0.0.1:8000";

export default defineConfig({
  base: "/static/workbench/",
  html: { cspNonce: "KEFU_NONCE" },
  plugins: [
    vue(),
    ...(isTest ? [] : [AutoImport({ resolvers: [ElementPlusResolver()], dts: "src/element-imports.d.ts" })]),
    // `dirs: []`: our own components are imported by name, so that a reader sees where they live.
    Components({ dirs: [], resolvers: [ElementPlusResolver()], dts: "src/element-components.d.ts" }),
  ],
  build: {
    outDir: "../../src/kefu/static/workbench",
    emptyOutDir: true,
    target: "es2022",
    // Every page needs all of Vue: cut up by who needs which part, it would come as several files, and larger.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: "vue", test: /node_modules\/@?vue\// }] } } },
  },
  test: { name: "workbench", include: ["src/**/*.test.ts"] },
  server: { host: "127.0.0.1", proxy: { "/api": server, "/ws": { target: server, ws: true }, "/articles": server } },
});
