import { createHash } from "node:crypto";
import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";
import * as storefront from "./src/api/gql.ts";
import * as console from "./src/console/gql.ts";

const outDir = join(import.meta.dirname, "dist");

// Storefront and console stand on api, ui and words, which know neither of them,
// as neither knows the other.
const borders: Plugin = {
  name: "borders",
  buildStart() {
    const src = join(import.meta.dirname, "src");
    const partOf = (path: string) => relative(src, path).split(sep)[0] ?? "";
    for (const name of readdirSync(src, { recursive: true, encoding: "utf8" })) {
      const file = join(src, name);
      if (!/\.tsx?$/.test(name)) continue;
      for (const [, path = ""] of readFileSync(file, "utf8").matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)) {
        const part = partOf(join(dirname(file), path));
        if (/^(storefront|console)$/.test(part) && part !== partOf(file)) this.error(`${relative(src, file)} imports ${path}: only the ${part} may`);
      }
    }
  },
};

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

// The operations as a manifest, in the format of Apollo's tools: for the server,
// which answers those of a page before the page asks, and for shops that admit
// registered operations only.
const operations: Plugin = {
  name: "operations",
  generateBundle() {
    const all = [...Object.values(storefront), ...Object.values(console)].flatMap((document) => {
      const body = String(document).trim();
      const [, type, name] = /^(query|mutation|subscription) (\w+)/.exec(body) ?? [];
      return name ? [{ id: createHash("sha256").update(body).digest("hex"), name, type, body }] : [];
    });
    const twice = all.find(({ name }, at) => all.findIndex((other) => other.name === name) < at);
    if (twice) throw new Error(`two operations are called ${twice.name}; the server finds them by name`);
    const manifest = { format: "apollo-persisted-query-manifest", version: 1, operations: all };
    this.emitFile({ type: "asset", fileName: "operations.json", source: JSON.stringify(manifest) });
  },
};

// Which programs a page needs besides the first one, by the page's name: for the
// server, which tells browsers of them before the first one does.
const programs: Plugin = {
  name: "programs",
  generateBundle(_, bundle) {
    const needed: Record<string, string[]> = {};
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== "chunk" || !chunk.isDynamicEntry || !chunk.facadeModuleId?.includes("/src/storefront/pages/")) continue;
      const entry = Object.values(bundle).find((other) => other.type === "chunk" && other.isEntry && other.dynamicImports.includes(chunk.fileName));
      const there = entry?.type === "chunk" ? [entry.fileName, ...entry.imports] : [];
      needed[chunk.name] = [chunk.fileName, ...chunk.imports].filter((file) => !there.includes(file)).map((file) => `/${file}`);
    }
    this.emitFile({ type: "asset", fileName: "programs.json", source: JSON.stringify(needed) });
  },
};

export default defineConfig({
  plugins: [borders, operations, programs, compress, fontLicence],
  build: {
    outDir,
    target: "es2022",
    assetsInlineLimit: 0, // a data: address would need a hole in the policy
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    license: { fileName: "licenses.md" },
    rolldownOptions: {
      input: ["index.html", "console.html"].map((page) => join(import.meta.dirname, page)),
      onwarn(warning, warn) {
        if (warning.code !== "MODULE_LEVEL_DIRECTIVE") warn(warning); // "use client" means nothing here
      },
    },
  },
  server: { proxy: { "/graphql": { target: "http://127.0.0.1:8080", ws: true }, "/demo": "http://127.0.0.1:8080", "/invoices": "http://127.0.0.1:8080" } },
});
