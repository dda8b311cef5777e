/** The shell: loads data, keeps the state in the URL's hash, shows one of the views. */

import { Board } from "./board";
import { draw } from "./charts";
import type { Change } from "./controls";
import type { Detail, Index } from "./data";
import { fill, h, unpack } from "./dom";
import { format, parse, type State, type View } from "./state";
import { find } from "./views/find";
import { hardware } from "./views/hardware";
import { memo } from "./views/memo";
import { methods } from "./views/methods";
import { performance as perform } from "./views/performance";
import { report } from "./views/report";
import { speak, t } from "./words";

/** A view's controls, which stay while the reader uses them, and its answer, which is made anew. */
export interface Shown { controls: HTMLElement | null; answer: () => HTMLElement }
export interface Context { board: Board; state: () => State; change: Change; detail: (id: string) => Promise<Detail>; link: (patch: Partial<State>) => string }

const SHOW: Record<View, (context: Context) => Shown> = { perf: perform, hardware, find, report, methods, memo };
const TABS: readonly View[] = ["perf", "find", "hardware", "report", "methods", "memo"];

const waiting = new Map<string, { resolve: (detail: Detail) => void; promise: Promise<Detail> }>();
const root = document.getElementById("board") as HTMLElement;
let state = parse(location.hash);
let board: Board | null = null;
let shown: Shown | null = null;
let answer: HTMLElement | null = null;
let status: HTMLElement | null = null;

function load(name: string, value: unknown): void {
  if (name === "index") {
    board = new Board(value as Index);
    begin();
    if (board.index.meta.served) live();
  } else if (typeof value === "string") void unpack(value).then((json) => waiting.get(name)?.resolve(JSON.parse(json) as Detail));
  else waiting.get(name)?.resolve(value as Detail);
}

/** What a board's owner says beforehand (`prices.toml`), where the link says nothing. */
function begin(): void {
  const said = board?.index.meta.cost;
  if (said && !/[&#]v=/.test(location.hash)) Object.assign(state, Object.fromEntries(Object.entries(said).filter(([key]) => key in state)));
  show();
}

/** A report's details, loaded once by a script of their own. */
function detail(id: string): Promise<Detail> {
  const name = `report/${id}`;
  const known = waiting.get(name);
  if (known) return known.promise;
  let resolve: (detail: Detail) => void = () => undefined;
  const promise = new Promise<Detail>((ok, fail) => {
    resolve = ok;
    const script = h("script", { src: `data/reports/${id}.js`, onerror: () => { waiting.delete(name); fail(new Error(id)); } });
    document.head.append(script);
  });
  waiting.set(name, { resolve, promise });
  return promise;
}

function live(): void {
  new EventSource("api/v1/events").addEventListener("reload", () => location.reload());
}

const change: Change = (patch, quiet = false) => {
  const moved = patch.view !== undefined && patch.view !== state.view;
  state = { ...state, ...patch };
  if (patch.page === undefined) state.page = 0;
  const hash = `#${format(state)}`;
  if (moved) history.pushState(null, "", hash);
  else history.replaceState(null, "", hash);
  if (quiet && !moved) reply();
  else show();
};

const link = (patch: Partial<State>): string => `#${format({ ...state, page: 0, ...patch })}`;

function show(): void {
  if (!board) return;
  speak(state.lang);
  document.documentElement.lang = state.lang === "zh" ? "zh-CN" : "en";
  const title = board.index.meta.title ?? "accelbench";
  document.title = `${t(`view.${state.view}`)} · ${title}`;
  shown = SHOW[state.view]({ board, state: () => state, change, detail, link });
  answer = h("div", { class: "answer" });
  status = h("p", { class: "hidden", role: "status" });
  const focused = document.activeElement?.getAttribute("data-focus");
  fill(root,
    h("a", { class: "skip", href: "#main", onclick: (event) => { event.preventDefault(); document.getElementById("main")?.focus(); } }, t("shell.skip")),
    header(title),
    h("main", { id: "main", tabindex: -1, class: shown.controls ? "with" : "alone" }, shown.controls ? h("aside", { "aria-label": t("shell.controls") }, shown.controls) : null, answer, status),
    h("footer", {}, t("shell.foot", { version: board.index.meta.accelbench, reports: board.count.toLocaleString("en-US"), created: board.index.meta.created?.slice(0, 10) ?? "–" })));
  if (focused) (document.querySelector(`[data-focus="${focused}"]`) as HTMLElement | null)?.focus();
  reply();
}

function header(title: string): HTMLElement {
  const other = state.lang === "en" ? "zh" : "en";
  return h("header", {}, h("a", { class: "brand", href: link({ view: "perf" }) }, title),
    h("nav", { "aria-label": t("shell.views") }, TABS.map((view) => h("a", { href: link({ view }), "aria-current": view === state.view ? "page" : null, "data-focus": view }, t(`view.${view}`)))),
    h("a", { class: "lang", href: link({ lang: other }), lang: other, hreflang: other, "data-focus": "lang" }, other === "zh" ? "中文" : "English"));
}

function reply(): void {
  if (!shown || !answer) return;
  const began = performance.now();
  fill(answer, shown.answer());
  draw();
  document.documentElement.dataset.ready = (performance.now() - began).toFixed(1);
}

addEventListener("hashchange", () => { state = parse(location.hash); show(); scrollTo(0, 0); });
addEventListener("popstate", () => { state = parse(location.hash); show(); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", reply);
(globalThis as unknown as { accelbench: { load: typeof load } }).accelbench = { load };
