// Bundles the page into src/accelbench/board/assets: board.js, board.css and index.html, nothing else.
import { build } from "esbuild";
import { copyFileSync, mkdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const web = dirname(dirname(fileURLToPath(import.meta.url)));
const assets = process.argv[2] ?? join(web, "..", "src", "accelbench", "board", "assets");

mkdirSync(assets, { recursive: true });
await build({
  absWorkingDir: web,
  entryPoints: { board: "src/main.ts" },
  outdir: assets,
  bundle: true,
  minify: true,
  format: "iife",
  target: ["chrome109", "firefox115", "safari16"],
  charset: "utf8",
  legalComments: "inline",
  logLevel: "warning",
});
copyFileSync(join(web, "style.css"), join(assets, "board.css"));
copyFileSync(join(web, "index.html"), join(assets, "index.html"));
for (const name of ["board.js", "board.css", "index.html"])
  console.log(`${name} ${(statSync(join(assets, name)).size / 1024).toFixed(0)} KiB`);
