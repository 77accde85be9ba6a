import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // Each package's own config names its environment.
    projects: ["web/api", "web/sdk", "web/widget", "web/workbench"],
  },
});
