/** The story of the examples as a reader sees it. ACCELBENCH_BOARD: their board; pictures go to ACCELBENCH_PICTURES. */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { Page } from "../browser/chromium";

const BOARD = process.env.ACCELBENCH_BOARD ?? "", PICTURES = process.env.ACCELBENCH_PICTURES;
const STORY = "view=perf&mix=digits-resnet:1&scenario=offline";
const TWO = "intel-xeon-virtual", ONE = "intel-xeon-virtual-1";
const PRUNED = /openvino .* fp32 \(prune:0\.3\+int8-static\)/;

let page: Page;
before(async () => {
  page = await Page.start();
  await page.size(1280, 900);
});
after(() => page.close());

/** The rows of the first and of those ruled out, as text; the same in the other language is looked at in the picture. */
async function rows(name: string, more: string): Promise<string[]> {
  for (const lang of ["zh", "en"]) {
    await page.open(`${pathToFileURL(join(BOARD, "index.html")).href}#v=1&${STORY}&${more}&lang=${lang}`);
    await page.until("[...document.querySelectorAll('.chart')].every((each) => each.querySelector('svg'))");
    if (PICTURES) writeFileSync(join(PICTURES, `${name}-${lang}.png`), await page.picture());
  }
  return page.run<string[]>("[...document.querySelectorAll('tr.first, tr.out')].map((each) => each.innerText.replace(/\\s+/g, ' '))");
}

test("under the accuracy requirement the pruned int8 form is first", async () => {
  const [first] = await rows("accuracy", "require=accuracy");
  assert.match(first, /^1 /);
  assert.match(first, PRUNED);
});

test("under the drift requirement it is ruled out, and the reason is shown", async () => {
  const out = (await rows("drift", "require=drift&l2=0.05")).find((each) => each.startsWith("✗") && PRUNED.test(each)) ?? "";
  assert.match(out, /relative L2 0\.17\d* is above 0\.05/);
});

test("the rents of two devices change their order", async () => {
  const all = await rows("prices", `require=drift&l2=0.05&metric=million&pay=rent&prices=${TWO}:0.1,${ONE}:0.05`);
  assert.match(all.find((each) => each.startsWith("1 ")) ?? "", /one CPU/);
});

test("where no price is known the break-even price leads", async () => {
  await rows("break-even", `require=drift&l2=0.05&metric=million&pay=rent&prices=${TWO}:0.1`);
  assert.match(await page.run<string>("document.querySelector('.callout').innerText"), /per hour Intel Xeon, one CPU of a virtual machine/);
  assert.deepEqual(page.problems, []);
});
