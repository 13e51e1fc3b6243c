import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const outDir = join(import.meta.dirname, "dist");

// What never changes under its name goes into the binary compressed, a quarter
// of its size, and out of it as it is.
const compress: Plugin = {
  name: "compress",
  closeBundle() {
    const assets = join(outDir, "assets");
    for (const name of readdirSync(assets)) {
      const path = join(assets, name);
      writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
      rmSync(path);
    }
  },
};

export default defineConfig({
  base: "/playground/",
  plugins: [compress],
  html: { cspNonce: "{{nonce}}" }, // the server writes a fresh one with every page
  worker: { format: "iife" },
  build: {
    outDir,
    target: "es2022",
    assetsInlineLimit: 0, // a data: address would need a hole in the policy
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 5_000, // Monaco is what it is
    reportCompressedSize: false,
    license: { fileName: "licenses.md" },
    rolldownOptions: {
      onwarn(warning, warn) {
        if (warning.code !== "MODULE_LEVEL_DIRECTIVE") warn(warning); // "use client" means nothing here
      },
    },
  },
});
