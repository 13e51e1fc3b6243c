import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";
import * as gql from "./src/api/gql.ts";

const outDir = join(import.meta.dirname, "dist");

// What never changes under its name goes into the binary compressed. Fonts and
// pictures are as small as they get.
const compress: Plugin = {
  name: "compress",
  closeBundle() {
    const assets = join(outDir, "assets");
    for (const name of readdirSync(assets)) {
      if (!/\.(js|css|svg)$/.test(name)) continue;
      const path = join(assets, name);
      const content = readFileSync(path);
      writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
      writeFileSync(`${path}.br`, brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
      rmSync(path);
    }
  },
};

// The font's licence goes where those of the programs are.
const fontLicence: Plugin = {
  name: "font licence",
  closeBundle() {
    const font = join(import.meta.dirname, "node_modules/@fontsource/newsreader/LICENSE");
    appendFileSync(join(outDir, "licenses.md"), `\n## Newsreader (OFL-1.1)\n\n${readFileSync(font, "utf8")}`);
  },
};

// The operations by name, for the server: it answers those of a page before
// the page asks.
const operations: Plugin = {
  name: "operations",
  generateBundle() {
    const named = Object.values(gql).flatMap((document) => {
      const name = /^\s*(?:query|mutation|subscription) (\w+)/.exec(String(document))?.[1];
      return name ? [[name, String(document)]] : [];
    });
    this.emitFile({ type: "asset", fileName: "operations.json", source: JSON.stringify(Object.fromEntries(named)) });
  },
};

export default defineConfig({
  plugins: [operations, compress, fontLicence],
  build: {
    outDir,
    target: "es2022",
    assetsInlineLimit: 0, // a data: address would need a hole in the policy
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    license: { fileName: "licenses.md" },
    rolldownOptions: {
      onwarn(warning, warn) {
        if (warning.code !== "MODULE_LEVEL_DIRECTIVE") warn(warning); // "use client" means nothing here
      },
    },
  },
  server: { proxy: { "/graphql": { target: "http://127.0.0.1:8080", ws: true }, "/demo": "http://127.0.0.1:8080", "/invoices": "http://127.0.0.1:8080" } },
});
