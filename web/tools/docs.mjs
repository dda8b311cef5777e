// The pictures of docs/boards*.md: node tools/docs.mjs BOARD FOLDER; tools/board_pictures.py makes them small.
import { buildSync } from "esbuild";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [board, folder] = process.argv.slice(2).map((each) => resolve(each));
const scratch = mkdtempSync(join(tmpdir(), "board-pictures-"));
const driver = join(scratch, "chromium.mjs");
buildSync({ entryPoints: [new URL("../test/browser/chromium.ts", import.meta.url).pathname], outfile: driver, bundle: true, platform: "node", format: "esm" });
const { Page } = await import(pathToFileURL(driver).href);

const VIEWS = {
  performance: ["mix=digits-resnet:1&scenario=offline&require=drift&l2=0.05&nan=1", 900],
  find: ["view=find&like=nvidia-a30&tdp=200", 900],
  report: ["", 1180],
};
const page = await Page.start();
await page.theme("light");
const address = (hash) => `${pathToFileURL(join(board, "index.html"))}#v=1&${hash}`;
await page.size(1280, 900);
await page.open(address("view=report&search=digits-resnet+openvino"));
const id = await page.run("document.querySelector('tbody tr:not(.out) a')?.hash.match(/report=([0-9a-f]+)/)?.[1] ?? ''");
VIEWS.report[0] = `view=report&report=${id}`;
for (const lang of ["en", "zh"])
  for (const [name, [hash, height]] of Object.entries(VIEWS)) {
    await page.size(1280, height);
    await page.open(address(`${hash}&lang=${lang}`));
    await new Promise((done) => setTimeout(done, 300));
    writeFileSync(join(folder, `${name}-${lang}.png`), await page.picture());
  }
await page.close();
rmSync(scratch, { recursive: true });
if (page.problems.length) throw new Error(page.problems.join("\n"));
