import { fileURLToPath } from "node:url";

import { defineConfig } from "vite";

export default defineConfig({
  base: "/static/api-docs/",
  html: { cspNonce: "KEFU_NONCE" },
  build: {
    outDir: fileURLToPath(new URL("../../src/kefu/static/api-docs", import.meta.url)),
    emptyOutDir: true,
    chunkSizeWarningLimit: 2000,
  },
});
