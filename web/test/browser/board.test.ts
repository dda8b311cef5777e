import assert from "node:assert/strict";
import { createReadStream, existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { Page } from "./chromium";

declare const WEB: string;

/** A built board; its details are those of its first reports. */
const BOARD = process.env.ACCELBENCH_BOARD ?? "";
const TYPES: Record<string, string> = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };
const AXE = readFileSync(join(WEB, "node_modules", "axe-core", "axe.min.js"), "utf8");
const VIEWS = ["view=perf", "view=perf&require=drift&l2=0.05&metric=million", "view=perf&metric=cards", "view=hardware", "view=hardware&group=price", "view=hardware&product=nvidia-a30", "view=find&like=nvidia-a30&tdp=200&side=nvidia-l4", "view=report", "view=methods", "view=memo"];

let page: Page;
let server: Server;
let addresses: string[];

before(async () => {
  assert.ok(existsSync(join(BOARD, "index.html")), "ACCELBENCH_BOARD is no built board");
  server = createServer((request, response) => {
    const path = join(BOARD, decodeURIComponent(new URL(request.url ?? "/", "http://x").pathname).replace(/\/$/, "/index.html"));
    if (!existsSync(path)) response.writeHead(404).end();
    else createReadStream(path).pipe(response.writeHead(200, { "Content-Type": TYPES[extname(path)] ?? "application/octet-stream" }));
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  addresses = [pathToFileURL(join(BOARD, "index.html")).href, `http://127.0.0.1:${(server.address() as AddressInfo).port}/`];
  page = await Page.start();
});

after(async () => {
  await page.close();
  server.close();
});

async function report(address: string): Promise<string> {
  await page.open(`${address}#v=1&view=report`);
  return page.run<string>("document.querySelector('tbody a').hash.match(/report=([0-9a-f]+)/)[1]");
}

test("every view, from disk and over HTTP, in both languages: nothing on the console, nobody else asked", async () => {
  for (const address of addresses) {
    const id = await report(address);
    for (const lang of ["en", "zh"]) for (const view of [...VIEWS, `view=report&report=${id}`]) {
      await page.open(`${address}#v=1&${view}&lang=${lang}`);
      assert.ok((await page.run<string>("document.querySelector('h1').textContent")).length > 1, view);
      const missing = await page.run<string[]>(`[...document.body.innerText.matchAll(/\\b(?:col|perf|cost|metric|why|report|find|hw|path|memo|fact|relation|methods)\\.[a-z][a-zA-Z]+\\b/g)].map((each) => each[0])`);
      assert.deepEqual(missing.filter((each) => each !== "report.json"), [], view);
    }
  }
  assert.deepEqual(page.problems, []);
  const own = [...addresses, "data:", "about:", pathToFileURL(BOARD).href];
  assert.deepEqual(page.asked.filter((url) => !own.some((each) => url.startsWith(each))), []);
});

test("the policy holds: a script of another origin, an inline one and eval are refused", async () => {
  for (const address of addresses) {
    await page.open(`${address}#v=1&view=methods`);
    const refused = await page.run<string[]>(`(async () => {
      const seen = [];
      addEventListener("securitypolicyviolation", (event) => seen.push(event.effectiveDirective));
      const add = (fill) => { const script = document.createElement("script"); fill(script); document.head.append(script); };
      add((script) => { script.src = "https://elsewhere.invalid/x.js"; });
      add((script) => { script.textContent = "globalThis.inlined = true"; });
      document.body.setAttribute("style", "color: red");
      fetch("https://elsewhere.invalid/").catch(() => undefined);
      await new Promise((done) => setTimeout(done, 200));
      document.body.removeAttribute("style");
      return [...new Set(seen)].sort().concat(String(globalThis.inlined));
    })()`);
    assert.deepEqual(refused, ["connect-src", "script-src-elem", "style-src-attr", "undefined"]);
  }
  page.problems.length = 0;
});

for (const scheme of ["light", "dark"] as const) test(`axe finds nothing serious (${scheme})`, async () => {
  await page.theme(scheme);
  const [address] = addresses;
  const id = await report(address);
  for (const lang of ["en", "zh"]) for (const view of [...VIEWS, `view=report&report=${id}`]) {
    await page.open(`${address}#v=1&${view}&lang=${lang}`);
    // The protocol's own evaluation is above the page's policy.
    await page.run(`${AXE}; undefined`);
    const found = await page.run<string[]>("axe.run(document, { resultTypes: ['violations'] }).then((all) => all.violations.filter((each) => ['serious', 'critical'].includes(each.impact)).map((each) => each.id + ': ' + each.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(' | ')))");
    assert.deepEqual(found, [], `${view} ${lang}`);
  }
  await page.theme("light");
});

test("nothing is wider than the window at 360 and at 1280 pixels", async () => {
  const id = await report(addresses[0]);
  for (const width of [360, 1280]) {
    await page.size(width, 800);
    for (const lang of ["en", "zh"]) for (const view of [...VIEWS, `view=report&report=${id}`]) {
      await page.open(`${addresses[0]}#v=1&${view}&lang=${lang}`);
      assert.ok((await page.run<number>("document.documentElement.scrollWidth")) <= width, `${view} at ${width}`);
    }
  }
});

test("what the reader chooses is in the address, and comes back from it", async () => {
  await page.size(1280, 900);
  await page.open(`${addresses[0]}#v=1&view=perf`);
  await page.run("(() => { const radio = document.querySelector('input[value=drift]'); radio.click(); })()");
  await page.run("(() => { const select = [...document.querySelectorAll('select')].find((each) => each.querySelector('option[value=watt]')); select.value = 'watt'; select.dispatchEvent(new Event('change')); })()");
  const hash = await page.run<string>("location.hash");
  assert.match(hash, /require=drift/);
  assert.match(hash, /metric=watt/);
  const shown = await page.run<string>("document.querySelector('.answer').innerText");
  await page.open(`${addresses[1]}${hash}`);
  assert.equal(await page.run("location.hash"), hash);
  assert.equal(await page.run("document.querySelector('.answer').innerText"), shown);
});

test("the keyboard reaches the answer, the views and a report", async () => {
  await page.open(`${addresses[0]}#v=1&view=perf`);
  await page.key("Tab", 9);
  assert.equal(await page.run("document.activeElement.className"), "skip");
  await page.key("Enter", 13, "\r");
  assert.equal(await page.run("document.activeElement.id"), "main");
  await page.run("document.querySelector('header nav a:nth-child(3)').focus()");
  await page.key("Enter", 13, "\r");
  await page.until("document.querySelector('h1')?.textContent === 'Hardware'");
  await page.run("document.querySelector('.sort').focus()");
  await page.key("Enter", 13, "\r");
  await page.until("location.hash.includes('sort=')");
  await page.run("document.querySelector('.evidence summary').focus()");
  await page.key("Enter", 13, "\r");
  await page.until("document.querySelector('.evidence[open] .sources li') !== null");
});

test("a report that is ruled out stays, with its reason, and has no rank", async () => {
  await page.open(`${addresses[0]}#v=1&view=perf&mix=digits-resnet:1&require=drift&l2=0.05`);
  const reason = await page.run<string>("[...document.querySelectorAll('tr.out')].map((each) => each.innerText).find((each) => each.includes('relative L2'))");
  assert.match(reason, /^✗/);
  assert.match(reason, /relative L2 \S+ is above 0\.05/);
});

test("every chart has a summary and a table", async () => {
  const id = await report(addresses[0]);
  for (const view of ["view=perf", "view=hardware", "view=find", `view=report&report=${id}`]) {
    await page.open(`${addresses[0]}#v=1&${view}`);
    await page.until("[...document.querySelectorAll('.chart')].every((each) => each.querySelector('svg'))");
    const charts = await page.run<[string, number][]>("(async () => { const all = [...document.querySelectorAll('figure')].filter((each) => each.querySelector('.chart')); for (const each of all) each.querySelector('details').open = true; await new Promise((done) => setTimeout(done, 100)); return all.map((each) => [each.querySelector('.note').textContent, each.querySelectorAll('details tbody tr').length]); })()");
    assert.ok(charts.length > 0);
    for (const [summary, rows] of charts) assert.ok(summary.length > 10 && rows > 0, `${view}: ${summary}`);
  }
});
