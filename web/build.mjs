// Builds the client into dist/: one script and one sheet with the hash of their content in their names, the page that
// loads them, and what makes an app of it: a worker that keeps all of them on the device, and a manifest. Each is packed
// too, so that no function packs anything.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";

process.chdir(import.meta.dirname);
rmSync("dist", { recursive: true, force: true });
mkdirSync("dist/assets", { recursive: true });

const bundle = (entryPoints, define = {}) => build({
  entryPoints,
  define,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["chrome120", "edge120", "safari17", "firefox121"],
  jsx: "automatic",
  jsxImportSource: "preact",
  outdir: "dist",
  write: false,
  legalComments: "none",
});
const built = await bundle({ app: "src/main.tsx" });

let page = readFileSync("src/index.html", "utf8");
const names = {};
const files = built.outputFiles.map((file) => [file.path.split("/").pop(), file.contents]);
for (const [name, bytes] of [...files, ["icon.svg", readFileSync("src/icon.svg")]]) {
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
  const hashed = `assets/${name.replace(".", `-${hash}.`)}`;
  page = page.replace(name, `/${hashed}`);
  names[name] = `/${hashed}`;
  keep(hashed, bytes);
}
keep("index.html", Buffer.from(page));
const manifest = readFileSync("src/manifest.json", "utf8").replace("icon.svg", names["icon.svg"]);
keep("manifest.webmanifest", Buffer.from(manifest));
const digest = createHash("sha256").update(page).update(manifest).digest("hex").slice(0, 16);
const worker = await bundle({ worker: "src/worker.ts" }, {
  FILES: JSON.stringify(["/", "/manifest.webmanifest", ...Object.values(names)]),
  RELEASE: JSON.stringify(digest),
});
keep("worker.js", worker.outputFiles[0].contents);

function keep(name, bytes) {
  writeFileSync(`dist/${name}`, bytes);
  const quality = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  writeFileSync(`dist/${name}.br`, brotliCompressSync(bytes, { params: quality }));
  const packed = gzipSync(bytes, { level: 9 });
  writeFileSync(`dist/${name}.gz`, packed);
  console.log(`${name.padEnd(40)} ${bytes.length} bytes, ${packed.length} packed`);
}
