// Runs the tests of test/ that need no browser, each as a program of its own.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSync } from "esbuild";

process.chdir(import.meta.dirname);
const folder = mkdtempSync(join(tmpdir(), "am-web-"));
let failed = false;
for (const name of readdirSync("test").filter((it) => it.endsWith(".test.ts"))) {
  const outfile = join(folder, name.replace(".ts", ".mjs"));
  buildSync({ entryPoints: [`./test/${name}`], absWorkingDir: process.cwd(), outfile, bundle: true, platform: "node", format: "esm", target: "node22", sourcemap: "inline" });
  failed ||= spawnSync(process.execPath, ["--enable-source-maps", outfile], { stdio: "inherit" }).status !== 0;
}
rmSync(folder, { recursive: true });
process.exit(failed ? 1 : 0);
