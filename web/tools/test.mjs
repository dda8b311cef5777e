// Runs the tests under test/, or those in test/<folder>: bundled one by one, since Node reads no TypeScript.
import { buildSync } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const web = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(web, "test", process.argv[2] ?? "unit");
const out = mkdtempSync(join(tmpdir(), "board-tests-"));
try {
  const names = readdirSync(folder).filter((name) => name.endsWith(".test.ts"));
  buildSync({
    absWorkingDir: web,
    entryPoints: names.map((name) => join(folder, name)),
    outdir: out,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    logLevel: "warning",
    define: { WEB: JSON.stringify(web) },
  });
  const tests = names.map((name) => join(out, name.replace(/\.ts$/, ".mjs")));
  process.exitCode = spawnSync(process.execPath, ["--test", ...tests], { stdio: "inherit" }).status ?? 1;
} finally {
  rmSync(out, { recursive: true });
}
