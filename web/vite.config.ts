import { fileURLToPath } from "node:url";

import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const GATEWAY = process.env.OPS_WEB_GATEWAY ?? "http://127.0.0.1:8080";

export default defineConfig({
  // `npm run --silent build`, as `make` calls it, tells of warnings only.
  logLevel: process.env.npm_config_loglevel === "silent" ? "warn" : "info",
  plugins: [react()],
  resolve: { alias: { "@": fileURLToPath(new URL("src", import.meta.url)) } },
  // The gateway puts a fresh nonce in place of these words each time it serves the page.
  html: { cspNonce: "__CSP_NONCE__" },
  build: {
    target: "es2023",
    sourcemap: false,
    assetsInlineLimit: 0,
    manifest: true,
    // What many rooms share comes in one piece: a browser without HTTP/2 asks for six files at a time.
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "start", tags: ["$initial"], priority: 2 },
            { name: "shared", minShareCount: 8, priority: 1 },
          ],
        },
      },
    },
  },
  server: { proxy: { "/api": GATEWAY, "/readyz": GATEWAY } },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/testing/setup.ts"],
    testTimeout: 60_000,
    restoreMocks: true,
  },
});
