import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // The loader's tests need no page in the frame; the simulated browser reports each as an error.
    onConsoleLog: (log) => !log.includes("Iframe page loading is disabled"),
    // Each package's own config names its environment.
    projects: ["web/api", "web/sdk", "web/widget", "web/workbench"],
  },
});
