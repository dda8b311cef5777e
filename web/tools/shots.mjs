// Screenshots of a built board, for people to look at: node tools/shots.mjs BOARD FOLDER
import { buildSync } from "esbuild";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [board, folder] = process.argv.slice(2).map((each) => resolve(each));
mkdirSync(folder, { recursive: true });
const driver = join(folder, "chromium.mjs");
buildSync({ entryPoints: [new URL("../test/browser/chromium.ts", import.meta.url).pathname], outfile: driver, bundle: true, platform: "node", format: "esm" });
const { Page } = await import(pathToFileURL(driver).href);

const STORY = "mix=digits-resnet:1&require=drift&l2=0.05&nan=1";
const VIEWS = { perf: "v=1&view=perf", story: `v=1&view=perf&${STORY}`, cost: "v=1&view=perf&metric=million", hardware: "v=1&view=hardware", find: "v=1&view=find&like=nvidia-a30&tdp=200&side=nvidia-l4", methods: "v=1&view=methods", memo: `v=1&view=memo&${STORY}`, reports: "v=1&view=report" };
const page = await Page.start();
const wanted = process.argv[4]?.split(",");
const shoot = async (name, hash) => {
  const took = await page.open(`${pathToFileURL(join(board, "index.html"))}#${hash}`);
  await new Promise((done) => setTimeout(done, 150));
  writeFileSync(join(folder, `${name}.png`), await page.picture());
  console.log(name, `${took.toFixed(0)} ms`, `width ${await page.run("document.documentElement.scrollWidth")}`);
};
for (const [width, scheme, lang] of [[1280, "light", "en"], [360, "light", "zh"], [1280, "dark", "zh"]]) {
  await page.size(width, 900);
  await page.theme(scheme);
  for (const [name, hash] of Object.entries(VIEWS)) if (!wanted || wanted.includes(name)) await shoot(`${name}-${width}-${scheme}`, `${hash}&lang=${lang}`);
  if (wanted && !wanted.includes("report")) continue;
  await page.open(`${pathToFileURL(join(board, "index.html"))}#v=1&view=report&search=digits-resnet`);
  const id = await page.run("document.querySelector('tbody tr:not(.out) a')?.hash.match(/report=([0-9a-f]+)/)?.[1] ?? ''");
  await shoot(`report-${width}-${scheme}`, `v=1&view=report&report=${id}&lang=${lang}`);
}
console.log(page.problems);
await page.close();
