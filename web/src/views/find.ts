/** From the product in use today to what could take its place, and from one's own models to what is known of them. */

import { text, type Board } from "../board";
import { number, section, select, textual } from "../controls";
import { axis, figure as chart } from "../charts";
import type { Device, Task } from "../data";
import { h, type Child } from "../dom";
import { evidence } from "../evidence";
import { CLOSE, figure, find as search, type Beside, type Limits, type Ratio } from "../find";
import type { Context, Shown } from "../main";
import { standIn } from "../standin";
import { HARDWARE_METRICS, type HardwareMetric, type State } from "../state";
import { table } from "../table";
import { num, t } from "../words";
import { deviceName } from "./hardware";

const SIGN = { dominates: "▲", close: "≈", "trade-off": "⇄", dominated: "▽", "not comparable": "?" };

export function find(context: Context): Shown {
  const { board, change } = context;
  const state = context.state();
  const devices = board.index.devices.map((each) => [each.id, deviceName(each)] as const);
  const like = chosen(board, state);
  const weight = (name: HardwareMetric): HTMLElement => number(t(`hwmetric.${name}`), state.weights[name] ?? 1, (value) => {
    if (value !== null) change({ weights: { ...context.state().weights, [name]: value } }, true);
  });
  const controls = h("form", { onsubmit: (event) => event.preventDefault() },
    section(t("find.today"), true, select(t("find.like"), like?.id ?? "", devices, (id) => change({ like: id }, true))),
    section(t("find.limits"), true, number(t("find.tdp"), state.tdp, (tdp) => change({ tdp }, true)), number(t("find.memory"), state.minmem, (minmem) => change({ minmem }, true)),
      textual(t("find.form"), state.form, (form) => change({ form }, true), "PCIe"), textual(t("find.region"), state.region, (region) => change({ region }, true), "us-east"),
      number(t("find.rent", { currency: state.currency }), state.maxrent, (maxrent) => change({ maxrent }, true))),
    section(t("find.weights"), false, h("div", { class: "pairs" }, HARDWARE_METRICS.map(weight))),
    section(t("find.side"), state.side.length > 0, select(t("find.addSide"), "", [["", "…"], ...devices.filter(([id]) => !state.side.includes(id))], (id) => { if (id && context.state().side.length < 5) change({ side: [...context.state().side, id] }); }),
      h("ul", { class: "mix" }, state.side.map((id) => h("li", {}, h("span", {}, board.devices.get(id)?.names.en ?? id), h("button", { type: "button", "aria-label": t("perf.remove", { task: id }), onclick: () => change({ side: context.state().side.filter((each) => each !== id) }) }, "×"))))),
    section(t("find.mine"), true, select(t("find.addMine"), "", [["", "…"], ...board.index.tasks.filter((each) => !state.mine.includes(each.id)).map((each) => [each.id, each.title] as const)], (id) => { if (id) change({ mine: [...context.state().mine, id] }); }),
      h("ul", { class: "mix" }, state.mine.map((id) => h("li", {}, h("span", {}, id), h("button", { type: "button", "aria-label": t("perf.remove", { task: id }), onclick: () => change({ mine: context.state().mine.filter((each) => each !== id) }) }, "×"))))));
  return { controls, answer: () => answer(context, like) };
}

function chosen(board: Board, state: State): Device | null {
  return board.devices.get(state.like) ?? board.devices.get("nvidia-a30") ?? board.index.devices[0] ?? null;
}

export function limitsOf(board: Board, state: State): Limits {
  const rentOf = (device: Device): number | null => board.price(device.id, "rent", state.currency, state.fx)?.amount ?? null;
  return { tdp: state.tdp, memoryBytes: state.minmem === null ? null : state.minmem * 1e9, form: state.form, region: state.region, rent: state.maxrent, currency: state.currency, rentOf };
}

function answer(context: Context, like: Device | null): HTMLElement {
  const { board, link } = context;
  const state = context.state();
  if (!like) return h("p", { class: "empty" }, t("find.empty"));
  const found = search(like, board.index.devices, limitsOf(board, state), state.weights);
  const count = (relation: string): string => String(found.kept.filter((each) => each.relation === relation).length);
  const beside = (each: Beside): Child[] => [h("a", { href: link({ view: "hardware", product: each.device.id }) }, deviceName(each.device)), h("small", {}, t("find.known", { known: String(each.ratios.length), all: String(HARDWARE_METRICS.length) }))];
  return h("div", {}, h("h1", {}, t("find.title", { name: deviceName(like) })),
    h("p", { class: "lead" }, t("find.lead", { kept: String(found.kept.length), out: String(found.out.length), dominates: count("dominates"), close: count("close"), trade: count("trade-off") })),
    dots(found.kept.filter((each) => each.distance !== null).slice(0, 10), like),
    table<Beside>({ caption: t("find.table"), rows: found.kept, style: (each) => (each.relation === "not comparable" ? "out" : ""), columns: [
      { label: t("col.device"), cell: beside },
      { label: t("find.relation"), cell: (each) => h("span", { class: "mark" }, h("span", { "aria-hidden": "true" }, `${SIGN[each.relation]} `), t(`relation.${each.relation}`)) },
      { label: t("find.distance"), title: t("find.distance.title"), number: true, cell: (each) => num(each.distance) },
      ...HARDWARE_METRICS.map((name) => ({ label: t(`hwmetric.${name}`), number: true, cell: (each: Beside) => ratioCell(like, each, each.ratios.find((ratio) => ratio.name === name)) }))] }),
    found.out.length ? h("details", { class: "data" }, h("summary", {}, t("find.out", { count: String(found.out.length) })), h("ul", { class: "columns" }, found.out.map(({ device, against }) => h("li", { class: "outed" }, `${deviceName(device)}: ${t(against.key, { value: against.value })}`)))) : null,
    sideBySide(context, like), matrix(context, like, found.kept));
}

/** A ratio with both figures and their sources one click away. */
function ratioCell(today: Device, each: Beside, ratio: Ratio | undefined): Child {
  if (!ratio) return h("span", { class: "soft" }, "–", h("span", { class: "hidden" }, t("none")));
  const made = h("details", { class: "evidence" }, h("summary", {}, `${num(ratio.ratio)}×`));
  made.addEventListener("toggle", () => {
    if (made.childElementCount > 1) return;
    made.append(h("div", { class: "sources" }, h("div", {}, `${deviceName(each.device)}: `, evidence(each.device, `${num(ratio.other.value, 5)} ${ratio.other.unit}`, [ratio.other])), h("div", {}, `${deviceName(today)}: `, evidence(today, `${num(ratio.today.value, 5)} ${ratio.today.unit}`, [ratio.today]))));
    made.querySelectorAll("details").forEach((inner) => { inner.open = true; });
  });
  return made;
}

function dots(kept: Beside[], like: Device): Child {
  if (!kept.length) return null;
  const best = kept[0];
  const symbols = ["circle", "rect", "triangle", "diamond", "path://M0,0L10,0L5,9Z", "path://M4,0H6V4H10V6H6V10H4V6H0V4H4Z"];
  const lowest = Math.min(...kept.flatMap((each) => each.ratios.map((ratio) => ratio.ratio)), 0.5), highest = Math.max(...kept.flatMap((each) => each.ratios.map((ratio) => ratio.ratio)), 2);
  return chart({
    title: t("find.dots", { name: deviceName(like) }), summary: t("find.dots.summary", { name: deviceName(best.device), relation: t(`relation.${best.relation}`), close: num(CLOSE) }) + ` ${HARDWARE_METRICS.map((name, at) => `${"●■▲◆▼✚"[at]} ${t(`hwmetric.${name}`)}`).join("  ")}`, height: 60 + kept.length * 30,
    option: (ink, width) => ({
      grid: { left: width < 560 ? 118 : 220, right: 20, top: 8, bottom: 44 },
      xAxis: axis(ink, t("find.ratio"), { type: "log", logBase: 2, min: 2 ** Math.floor(Math.log2(lowest)), max: 2 ** Math.ceil(Math.log2(highest)), axisLabel: { color: ink.soft, fontSize: 11, formatter: (value: number) => `${num(value)}×` } }),
      yAxis: { type: "category", inverse: true, data: kept.map((each) => deviceName(each.device)), axisTick: { show: false }, axisLine: { show: false }, splitLine: { show: true, lineStyle: { color: ink.rule } }, axisLabel: { color: ink.ink, fontSize: 12, width: width < 560 ? 108 : 208, overflow: "truncate" } },
      series: HARDWARE_METRICS.map((name, at) => ({
        type: "scatter", name: t(`hwmetric.${name}`), symbol: symbols[at], symbolSize: 10, itemStyle: { color: name === "tdp" ? ink.second : ink.accent, opacity: 0.85 },
        data: kept.flatMap((each, row) => each.ratios.filter((ratio) => ratio.name === name).map((ratio) => ({ value: [ratio.ratio, row], tip: `${deviceName(each.device)} · ${t(`hwmetric.${name}`)}\n${num(ratio.ratio)}× (${num(ratio.other.value, 4)} ${ratio.other.unit} ÷ ${num(ratio.today.value, 4)} ${ratio.today.unit})` }))),
        ...(at === 0 ? { markLine: { symbol: "none", silent: true, lineStyle: { color: ink.ink, width: 1.4, type: "solid" }, label: { show: false }, data: [{ xAxis: 1 }] } } : {}) })),
    }),
    table: () => table({ caption: t("find.ratio"), rows: kept, columns: [{ label: t("col.device"), cell: (each) => deviceName(each.device) }, ...HARDWARE_METRICS.map((name) => ({ label: t(`hwmetric.${name}`), number: true, cell: (each: Beside) => { const ratio = each.ratios.find((one) => one.name === name); return ratio ? `${num(ratio.ratio)}×` : "–"; } }))] }),
  });
}

function sideBySide({ board, state: now }: Context, like: Device): Child {
  const devices = [like, ...now().side.flatMap((id) => board.devices.get(id) ?? [])];
  if (devices.length < 2) return null;
  return h("section", {}, h("h2", {}, t("find.side")), table<HardwareMetric>({ caption: t("find.side"), rows: HARDWARE_METRICS, columns: [
    { label: t("col.figure"), cell: (name) => t(`hwmetric.${name}`) },
    ...devices.map((device) => ({ label: deviceName(device), number: true, cell: (name: HardwareMetric) => { const found = figure(device, name); return found ? evidence(device, `${num(found.figure.value, 4)} ${found.figure.unit}`, [found.figure]) : h("span", { class: "soft" }, t("none")); } }))] }));
}

interface Known { count: number; newest: string; trust: string; reproduced: number; report: string }

/** My models × products: what reports there are, or of which stand-in. */
function matrix(context: Context, like: Device, kept: Beside[]): HTMLElement {
  const { board, link } = context;
  const state = context.state();
  const mine = state.mine.length ? state.mine : board.reports.task.of.slice(0, 4);
  const submitted = new Set(board.reports.device.of);
  const devices = [like, ...kept.map((each) => each.device).filter((each) => submitted.has(each.id) || state.side.includes(each.id))].slice(0, 7);
  const known = gather(board);
  const reported = board.index.tasks.filter((each) => board.reports.task.of.includes(each.id));
  const cell = (task: string, device: Device): Child | Child[] => {
    const found = known.get(`${task}|${device.id}`);
    if (found) return [h("a", { href: link({ view: "report", report: found.report }) }, t("matrix.reports", { count: String(found.count) })), h("small", {}, `${found.newest.slice(0, 10)} · ${t(`trust.${found.trust}`)}${found.reproduced ? ` ×${found.reproduced}` : ""}`)];
    const own = board.tasks.get(task);
    const near = own && standIn(own, reported.filter((each: Task) => known.has(`${each.id}|${device.id}`)));
    return near ? h("small", {}, t("matrix.standIn", { task: near.id })) : h("span", { class: "soft" }, t("matrix.none"));
  };
  return h("section", {}, h("h2", {}, t("matrix.title")), h("p", { class: "note" }, t("matrix.note")), table<string>({ caption: t("matrix.title"), rows: mine, columns: [
    { label: t("col.task"), cell: (task) => task }, ...devices.map((device) => ({ label: deviceName(device), cell: (task: string) => cell(task, device) }))] }));
}

const gathered = new WeakMap<Board, Map<string, Known>>();
const LEVELS = ["claimed", "measured", "verified", "reproduced"];

function gather(board: Board): Map<string, Known> {
  let found = gathered.get(board);
  if (found) return found;
  gathered.set(board, (found = new Map()));
  for (let row = 0; row < board.count; row += 1) {
    const device = text(board.reports.device, row);
    if (device === null || text(board.reports.status, row) !== "ok") continue;
    const key = `${text(board.reports.task, row)}|${device}`;
    const trust = text(board.reports.trust, row) ?? "measured", reproduced = board.reports.reproducedBy[row] ?? 0;
    const seen = found.get(key);
    if (!seen) found.set(key, { count: 1, newest: board.reports.created[row], trust, reproduced, report: board.reports.id[row] });
    else {
      seen.count += 1;
      seen.reproduced = Math.max(seen.reproduced, reproduced);
      if (LEVELS.indexOf(trust) > LEVELS.indexOf(seen.trust)) seen.trust = trust;
    }
  }
  return found;
}
