/** Judged by results: a mix of tasks, a requirement, a metric; the ranks, and why the others are ruled out. */

import { text, type Board } from "../board";
import { axis, figure, type Ink, type Option } from "../charts";
import { choice, number, section, select, textual, tick } from "../controls";
import { h, type Child } from "../dom";
import type { Context, Shown } from "../main";
import { judge, mixOf, unvalued, type Answer, type Entry, type Reason } from "../perform";
import { METRICS, type Metric, type State } from "../state";
import { front, type Estimate } from "../stats";
import { table } from "../table";
import { interval, invalid, money, named, num, scaled, share, spoken, t } from "../words";

const SHOWN = 14;
const OUT = 5;

export function performance(context: Context): Shown {
  return { controls: controls(context), answer: () => answer(context) };
}

/** The metric's value in words. */
export function written(metric: Metric, value: number | null, currency: string): string {
  if (value === null) return "–";
  if (metric === "latency") return scaled(value, "s");
  if (metric === "million" || metric === "breakeven") return money(value, currency);
  if (metric === "dollar") return num(value);
  return num(value);
}

export function unitOf(metric: Metric, state: State, kind: string | null): string {
  const key = metric === "breakeven" && state.pay === "rent" ? "metric.breakeven.rent" : `metric.${metric}.unit`;
  return t(key, { currency: state.currency, power: kind === null ? "" : t(`power.${kind}`) });
}

export function targetName(board: Board, entry: Entry): string {
  return `${board.deviceName(entry.report, spoken())} · ${stackName(board, entry)}`;
}

function stackName(board: Board, entry: Entry): string {
  return `${text(board.reports.backend, entry.report)} · ${precisionName(board, entry.report)}`;
}

export function precisionName(board: Board, row: number): string {
  const passes = text(board.reports.passes, row);
  return `${text(board.reports.precision, row)}${passes ? ` (${passes})` : ""}`;
}

export function because(reason: Reason): string {
  const values = reason.key === "why.invalid" ? { ...reason.values, text: invalid(String(reason.values.text)) } : reason.values;
  const words = t(reason.key, values).replace(/[:：]\s*$/, "");
  return reason.values.of ? `${reason.values.of}: ${words}` : words;
}

// ---- controls ----

function controls(context: Context): HTMLElement {
  const { board, change } = context;
  const state = context.state();
  return h("form", { onsubmit: (event) => event.preventDefault() },
    section(t("perf.what"), true, ...tasks(context),
      select(t("perf.scenario"), state.scenario, [["", t("any")], ...board.passes.scenario.of.map((name) => [name, named("scenario", name)] as const)], (scenario) => change({ scenario }, true)),
      number(t("perf.bound"), state.bound, (bound) => change({ bound }, true))),
    section(t("perf.must"), true,
      choice(t("perf.require"), state.require, [["none", t("require.none")], ["accuracy", t("require.accuracy")], ["drift", t("require.drift")]], (value) => change({
        require: value as State["require"], ...(value === "drift" && state.l2 === null && state.sqnr === null && state.flip === null ? { l2: 0.05, nan: true } : {}) })),
      ...(state.require === "none" ? [] : [select(t("perf.ratio"), String(state.ratio), [["0.95", "95 %"], ["0.99", "99 %"], ["0.999", "99.9 %"], ["1", "100 %"]], (ratio) => change({ ratio: Number(ratio) }, true))]),
      ...(state.require === "drift" ? [
        number(t("perf.l2"), state.l2, (l2) => change({ l2 }, true)),
        number(t("perf.sqnr"), state.sqnr, (sqnr) => change({ sqnr }, true)),
        number(t("perf.flip"), state.flip === null ? null : state.flip * 100, (flip) => change({ flip: flip === null ? null : flip / 100 }, true)),
        tick(t("perf.nan"), state.nan, (nan) => change({ nan }, true))] : [])),
    section(t("perf.metric"), true,
      select(t("perf.by"), state.metric, METRICS.map((metric) => [metric, t(`metric.${metric}`)] as const), (metric) => change({ metric: metric as Metric })),
      ...metricControls(context)),
    section(t("perf.filters"), Boolean(state.division || state.precision || state.trust || state.search),
      textual(t("perf.search"), state.search, (search) => change({ search }, true)),
      select(t("perf.division"), state.division, [["", t("any")], ...["same", "quantised", "pruned", "retrained"].map((name) => [name, named("division", name)] as const)], (division) => change({ division }, true)),
      select(t("perf.precision"), state.precision, [["", t("any")], ...board.reports.precision.of.map((name) => [name, name] as const)], (precision) => change({ precision }, true)),
      select(t("perf.trust"), state.trust, [["", t("any")], ...["measured", "verified", "reproduced"].map((name) => [name, named("trust", name)] as const)], (trust) => change({ trust }, true))));
}

function tasks(context: Context): HTMLElement[] {
  const { board, change } = context;
  const state = context.state();
  const mix = mixOf(board, state);
  const domains = [...new Set(board.reports.domain.of)];
  const known = board.reports.task.of.filter((name) => !state.domain || board.tasks.get(name)?.domain === state.domain).sort();
  const label = (name: string): string => board.tasks.get(name)?.title ?? name;
  const rest = known.filter((name) => !(name in mix));
  const rows = Object.entries(mix).map(([name, weight]) => h("li", {},
    h("span", { title: label(name) }, name),
    h("input", { type: "number", min: 0, step: "any", value: weight, "aria-label": t("perf.weight", { task: name }), oninput: (event) => {
      const value = Number((event.target as HTMLInputElement).value);
      if (value > 0) change({ mix: { ...mixOf(board, context.state()), [name]: value } }, true);
    } }),
    h("button", { type: "button", "aria-label": t("perf.remove", { task: name }), disabled: Object.keys(mix).length === 1, onclick: () => {
      const { [name]: _, ...others } = mix;
      change({ mix: others });
    } }, "×")));
  return [
    select(t("perf.domain"), state.domain, [["", t("any")], ...domains.map((name) => [name, named("domain", name)] as const)], (domain) => change({ domain })),
    h("div", { class: "field" }, h("span", { class: "label" }, t("perf.mix")), h("ul", { class: "mix" }, rows)),
    select(t("perf.add"), "", [["", "…"], ...rest.map((name) => [name, label(name)] as const)], (name) => { if (name) change({ mix: { ...mix, [name]: 1 } }); }),
    select(t("perf.only"), "", [["", "…"], ...known.map((name) => [name, label(name)] as const)], (name) => { if (name) change({ mix: { [name]: 1 } }); }),
  ];
}

function metricControls(context: Context): HTMLElement[] {
  const { change, board } = context;
  const state = context.state();
  const set = (key: keyof State) => (value: number | null): void => { if (value !== null) change({ [key]: value } as Partial<State>, true); };
  const power = select(t("cost.power"), state.power, [["", t("cost.common")], ["wall", t("power.wall")], ["board", t("power.board")], ["tdp", t("power.tdp")]], (value) => change({ power: value as State["power"] }, true));
  if (state.metric === "throughput" || state.metric === "latency") return [];
  if (state.metric === "watt") return [power];
  if (state.metric === "cards") return [number(t("cost.need"), state.need, set("need")), number(t("cost.headroom"), state.headroom, set("headroom"), { max: 0.99 }), number(t("cost.spare"), state.spare, set("spare"), { step: 1 })];
  const devices = [...board.reports.device.of].sort();
  const common = [
    select(t("cost.currency"), state.currency, [["USD", "USD"], ["CNY", "CNY"]], (currency) => change({ currency: currency as State["currency"] })),
    number(t("cost.fx"), state.fx, (fx) => change({ fx }, true), { placeholder: num(board.exchange("USD", "CNY", null)) }),
    ...devices.map((id) => {
      const told = board.price(id, state.pay, state.currency, state.fx);
      return number(t(told?.own ? "cost.private" : "cost.price", { device: board.devices.get(id)?.names.en ?? id }), state.prices[id] ?? null, (value) => {
        const { [id]: _, ...others } = context.state().prices;
        change({ prices: value === null ? others : { ...others, [id]: value } }, true);
      }, { placeholder: told ? String(Math.round(told.amount * 100) / 100) : t("none") });
    }),
    tick(t("cost.share"), state.share, (share) => change({ share }, true)),
  ];
  if (state.metric === "dollar") return common;
  return [
    select(t("cost.pay"), state.pay, [["buy", t("cost.buy")], ["rent", t("cost.rent")]], (pay) => change({ pay: pay as State["pay"] })),
    ...common,
    h("div", { class: "pairs" },
      number(t("cost.rate"), state.rate, set("rate")), number(t("cost.years"), state.years, set("years")), number(t("cost.use"), state.use, set("use"), { max: 1 }),
      number(t("cost.kwh"), state.kwh, set("kwh")), number(t("cost.pue"), state.pue, set("pue"), { min: 1 }), number(t("cost.support"), state.support, set("support")),
      number(t("cost.host"), state.host, set("host")), number(t("cost.network"), state.network, set("network")), number(t("cost.port"), state.port, set("port")),
      number(t("cost.fleet"), state.fleet, set("fleet"), { min: 1, step: 1 })),
    power,
  ];
}

// ---- the answer ----

function answer(context: Context): HTMLElement {
  const { board } = context;
  const state = context.state();
  if (!board.count) return h("div", {}, h("h1", {}, t("view.perf")), h("p", { class: "empty" }, t("perf.empty")));
  const found = judge(board, state);
  return h("div", {}, h("h1", {}, title(state, found)), h("p", { class: "lead" }, lead(state, found)),
    bars(context, found), costs(context, found),
    h("h2", {}, t("perf.ranks")), ranked(context, found),
    h("div", { class: "two" }, tradeoff(context, found), latencies(context, found)),
    claims(context, found), h("p", { class: "note" }, t("perf.method")));
}

function title(state: State, found: Answer): string {
  return t("perf.title", { metric: t(`metric.${state.metric}`), tasks: Object.entries(found.mix).map(([name, weight]) => (Object.keys(found.mix).length > 1 ? `${name} ×${num(weight)}` : name)).join(" + ") });
}

function lead(state: State, found: Answer): string {
  const parts = [t(`require.${state.require}.lead`, { ratio: share(state.ratio) })];
  parts.push(t("perf.counts", { ranked: String(found.ranked.length), out: String(found.out.length), covered: String(found.covered), all: String(found.all) }));
  if (["watt", "million", "breakeven"].includes(state.metric)) parts.push(found.power ? t("perf.power", { power: t(`power.${found.power}`) }) : t("perf.noPower"));
  return parts.join(" ");
}

/** Marks of trust: told apart by form, not by colour alone. */
export function trustMark(board: Board, row: number): HTMLElement {
  const trust = text(board.reports.trust, row) ?? "measured";
  const by = board.reports.reproducedBy[row] ?? 0;
  const sign = { claimed: "○", measured: "◐", verified: "●", reproduced: "◉" }[trust] ?? "◐";
  return h("span", { class: `mark trust-${trust}` }, h("span", { "aria-hidden": "true" }, `${sign} `), named("trust", trust), by > 0 ? ` ×${by}` : "");
}

function bars(context: Context, found: Answer): HTMLElement {
  const { board } = context;
  const state = context.state();
  const shown = [...found.ranked.slice(0, SHOWN), ...found.out.filter((entry) => entry.metric).slice(0, OUT)];
  const unit = unitOf(state.metric, state, found.power);
  const best = found.ranked[0];
  const tied = found.ranked.filter((entry) => entry.rank === 1).length;
  const summary = !best ? t("perf.none") : t(tied > 1 ? "perf.tied" : "perf.best", {
    name: targetName(board, best), value: `${written(state.metric, best.metric?.value ?? null, state.currency)} ${unit}`, tied: String(tied - 1) });
  if (!shown.length) return h("p", { class: "empty" }, summary);
  return figure({
    title: `${t(`metric.${state.metric}`)}${unit ? ` · ${unit}` : ""}`, summary, height: 44 + shown.length * 30,
    option: (ink, width) => barOption(board, state, shown, ink, width),
    open: (data) => open(context, shown[(data as { at: number }).at]),
    table: () => table({ caption: summary, rows: shown, columns: [
      { label: t("col.target"), cell: (entry) => targetName(board, entry) },
      { label: unit || t(`metric.${state.metric}`), number: true, cell: (entry) => written(state.metric, entry.metric?.value ?? null, state.currency) },
      { label: t("col.interval"), number: true, cell: (entry) => interval(entry.metric, (value) => written(state.metric, value, state.currency)) },
      { label: t("col.rank"), number: true, cell: (entry) => (entry.rank === null ? t("perf.ruledOut") : String(entry.rank)) }] }),
  });
}

function open(context: Context, entry: Entry | undefined): void {
  if (entry) context.change({ view: "report", report: context.board.reports.id[entry.report] });
}

function barOption(board: Board, state: State, shown: Entry[], ink: Ink, width: number): Option {
  const narrow = width < 560;
  const room = narrow ? 12 : Math.min(330, width * 0.4);
  const device = (entry: Entry): string => board.deviceName(entry.report, spoken());
  const alike = new Set(shown.map(device)).size === 1;
  const ranked = (entry: Entry, name: string): string => `${entry.rank === null ? "✗" : `${entry.rank}.`} ${name}`;
  const label = (entry: Entry): string => ranked(entry, alike ? stackName(board, entry) : `${stackName(board, entry)} · ${device(entry)}`);
  const values = shown.map((entry, at) => {
    const metric = entry.metric as Estimate;
    return { value: [metric.value, at, metric.low ?? NaN, metric.high ?? NaN], at, tip: `${ranked(entry, targetName(board, entry))}\n${written(state.metric, metric.value, state.currency)}${metric.low === null ? "" : ` (${interval(metric, (value) => written(state.metric, value, state.currency))})`}${entry.reasons.length ? `\n${because(entry.reasons[0])}` : ""}` };
  });
  type Api = { value: (at: number) => number; coord: (at: [number, number]) => [number, number] };
  return {
    grid: { left: room, right: 84, top: 4, bottom: 26 },
    xAxis: axis(ink, "", { type: "value", min: (range: { min: number }) => Math.min(0, range.min), axisLabel: { color: ink.soft, fontSize: 11, hideOverlap: true } }),
    yAxis: { type: "category", inverse: true, data: shown.map(label), axisLine: { show: false }, axisTick: { show: false },
      axisLabel: narrow ? { show: false } : { color: ink.ink, fontSize: 12, width: room - 14, overflow: "truncate" } },
    series: [{
      type: "custom", data: values, encode: { x: [0, 2, 3], y: 1 },
      renderItem: (_: { dataIndex: number }, api: Api) => {
        const entry = shown[api.value(1)];
        const [x, y] = api.coord([api.value(0), api.value(1)]);
        const [zero] = api.coord([0, api.value(1)]);
        const height = narrow ? 12 : 16, top = narrow ? y + 1 : y - 8, out = entry.rank === null;
        const parts: Option[] = [{ type: "rect", shape: { x: Math.min(zero, x), y: top, width: Math.max(Math.abs(x - zero), 1), height, r: 2 }, style: out ? { fill: ink.faint, stroke: ink.soft, lineDash: [3, 3], lineWidth: 1 } : { fill: ink.accent, opacity: entry.rank === 1 ? 1 : 0.62 } }];
        const low = api.value(2), high = api.value(3);
        let end = Math.max(x, zero);
        if (Number.isFinite(low) && Number.isFinite(high)) {
          const [a] = api.coord([low, 0]), [b] = api.coord([high, 0]), middle = top + height / 2;
          end = Math.max(end, b);
          for (const shape of [{ x1: a, y1: middle, x2: b, y2: middle }, { x1: a, y1: middle - 4, x2: a, y2: middle + 4 }, { x1: b, y1: middle - 4, x2: b, y2: middle + 4 }])
            parts.push({ type: "line", shape, style: { stroke: ink.ink, lineWidth: 1.3 } });
        }
        parts.push({ type: "text", style: { x: end + 6, y: top + height / 2, text: written(state.metric, api.value(0), state.currency), fill: out ? ink.soft : ink.ink, fontSize: 12, verticalAlign: "middle" } });
        if (narrow) parts.push({ type: "text", style: { x: zero, y: top - 3, text: label(entry), fill: out ? ink.soft : ink.ink, fontSize: 11, verticalAlign: "bottom", width: width - 24, overflow: "truncate" } });
        return { type: "group", children: parts };
      },
    }],
  };
}

/** Break-even prices lead where no price is known. */
function costs(context: Context, found: Answer): Child {
  const { board } = context;
  const state = context.state();
  if (!["dollar", "million", "breakeven"].includes(state.metric)) return null;
  const unpriced = [...found.ranked, ...found.out].filter((entry) => entry.price === null && entry.even && entry.reasons.every((reason) => reason.key === "why.noPrice"));
  if (!found.against || !unpriced.length) return found.against && state.metric === "breakeven" ? h("p", { class: "note" }, t("even.against", { name: targetName(board, found.against) })) : null;
  const against = targetName(board, found.against);
  return h("section", { class: "callout" }, h("h2", {}, t("even.title")), h("p", { class: "note" }, t("even.against", { name: against })),
    h("ul", {}, unpriced.slice(0, 6).map((entry) => h("li", {}, h("b", {}, state.pay === "rent" ? t("even.hour", { price: money(entry.even?.value ?? null, state.currency) }) : money(entry.even?.value ?? null, state.currency)), " ", targetName(board, entry)))));
}

function ranked(context: Context, found: Answer): HTMLElement {
  const { board, link, change } = context;
  const state = context.state();
  const r = board.reports;
  const single = Object.keys(found.mix).length === 1;
  const unit = unitOf(state.metric, state, found.power);
  return table<Entry>({
    caption: t("perf.ranks"), rows: [...found.ranked, ...found.out], page: state.page, turn: (page) => change({ page }, true),
    style: (entry) => (entry.rank === null ? "out" : entry.rank === 1 ? "first" : ""),
    columns: [
      { label: t("col.rank"), cell: (entry) => (entry.rank === null ? h("span", { title: t("perf.ruledOut") }, "✗", h("span", { class: "hidden" }, t("perf.ruledOut"))) : String(entry.rank)) },
      { label: t("col.target"), wide: true, cell: (entry) => [h("a", { href: link({ view: "report", report: r.id[entry.report] }) }, board.deviceName(entry.report, spoken())),
        h("small", {}, `${text(r.backend, entry.report)} ${text(r.stack, entry.report) ?? ""} · ${precisionName(board, entry.report)}`),
        entry.reasons.length ? h("small", { class: "why" }, entry.reasons.slice(0, 3).map(because).join(" · ")) : null] },
      { label: `${t(`metric.${state.metric}`)}`, title: unit, number: true, cell: (entry) => [written(state.metric, entry.metric?.value ?? null, state.currency), h("small", {}, interval(entry.metric, (value) => written(state.metric, value, state.currency)))] },
      ...(state.metric === "throughput" ? [] : [{ label: t("metric.throughput"), number: true, cell: (entry: Entry) => num(entry.rate?.value) }]),
      { label: "p99", number: true, cell: (entry) => scaled(entry.p99?.value, "s") },
      { label: t("col.accuracy"), title: t("col.accuracy.title"), number: true, cell: (entry) => share(entry.accuracy, 2) },
      { label: t("col.drift"), number: true, cell: (entry) => (single ? num(r.relativeL2[entry.report], 2) : num(worstDrift(board, entry), 2)) },
      { label: t("col.trust"), cell: (entry) => [trustMark(board, entry.report), h("small", {}, named("division", text(r.division, entry.report)))] },
    ],
  });
}

function worstDrift(board: Board, entry: Entry): number | null {
  const all = entry.parts.map((part) => (part.report < 0 ? null : board.reports.relativeL2[part.report]));
  return all.some((each) => each === null) ? null : Math.max(...(all as number[]));
}

/** Points, with the front that none of the ranked beats. */
function scatter(context: Context, of: { title: string; x: string; y: string; points: { x: number; y: number; name: string; out: boolean; report: number }[]; less?: boolean }): HTMLElement {
  const standing = of.points.filter((point) => !point.out);
  const edge = front(standing).map((at) => standing[at]);
  const summary = edge.length ? t("front.summary", { points: String(of.points.length), front: String(edge.length), name: edge[edge.length - 1].name }) : t("front.none");
  if (!of.points.length) return h("figure", {}, h("h3", {}, of.title), h("p", { class: "empty" }, t("front.none")));
  const datum = (point: (typeof of.points)[number]): Option => ({ value: [point.x, point.y], report: point.report, tip: `${point.name}\n${of.x}: ${num(point.x)}\n${of.y}: ${num(point.y)}` });
  return figure({
    title: of.title, summary, height: 300,
    open: (data) => { const at = (data as { report?: number }).report; if (at !== undefined) context.change({ view: "report", report: context.board.reports.id[at] }); },
    option: (ink) => ({
      grid: { left: 58, right: 16, top: 12, bottom: 44 },
      xAxis: axis(ink, of.x, { type: "value", scale: true, splitNumber: 4 }), yAxis: axis(ink, of.y, { type: "value", scale: true, nameGap: 44, splitNumber: 4 }),
      series: [
        { type: "line", step: "end", data: edge.map((point) => [point.x, point.y]), symbol: "none", silent: true, lineStyle: { color: ink.accent, width: 1.2, type: "dashed" } },
        { type: "scatter", symbol: "diamond", symbolSize: 8, data: of.points.filter((point) => point.out).slice(0, 400).map(datum), itemStyle: { color: "transparent", borderColor: ink.soft, borderWidth: 1 } },
        { type: "scatter", symbol: "circle", symbolSize: 9, data: standing.slice(0, 800).map(datum), itemStyle: { color: ink.accent, opacity: 0.75 } }],
    }),
    table: () => table({ caption: of.title, rows: of.points.slice(0, 100), columns: [
      { label: t("col.target"), cell: (point) => point.name }, { label: of.x, number: true, cell: (point) => num(point.x, 4) }, { label: of.y, number: true, cell: (point) => num(point.y, 4) },
      { label: t("col.front"), cell: (point) => (point.out ? t("perf.ruledOut") : edge.includes(point) ? t("yes") : "") }] }),
  });
}

function tradeoff(context: Context, found: Answer): HTMLElement {
  const { board } = context;
  const state = context.state();
  const priced = found.ranked.some((entry) => entry.million);
  const points = [...found.ranked, ...found.out].flatMap((entry) => {
    const x = priced ? entry.million?.value : entry.p50 ? entry.p50.value * 1e3 : undefined;
    return entry.accuracy === null || x === undefined ? [] : [{ x, y: entry.accuracy * 100, name: targetName(board, entry), out: entry.rank === null, report: entry.report }];
  });
  return scatter(context, { title: t(priced ? "front.cost" : "front.latency"), x: priced ? t("metric.million.unit", { currency: state.currency }) : t("front.p50"), y: t("front.accuracy"), points });
}

function latencies(context: Context, judged: Answer): HTMLElement {
  const { board } = context;
  const state = context.state();
  const found = state.metric === "latency" ? judge(board, { ...state, metric: "throughput" }) : judged;
  const points = [...found.ranked, ...found.out].flatMap((entry) => (entry.p99 && entry.rate
    ? [{ x: entry.p99.value * 1e3, y: entry.rate.value, name: targetName(board, entry), out: entry.rank === null && !unvalued(entry), report: entry.report }] : []));
  return scatter(context, { title: t("front.throughput"), x: t("front.p99"), y: t("metric.throughput.unit"), points });
}

function claims(context: Context, found: Answer): Child {
  const { board } = context;
  const rows = board.index.claims.flatMap((claim) => (claim.taskId !== null && claim.taskId in found.mix
    ? claim.figures.filter((each) => /throughput|qps|latency|samples/i.test(each.name)).map((each) => ({ claim, each })) : []));
  if (!rows.length) return null;
  return h("section", {}, h("h2", {}, t("claims.title")), h("p", { class: "note" }, t("claims.note")), table({
    caption: t("claims.title"), rows: rows.slice(0, 60), style: () => "claimed", columns: [
      { label: t("col.device"), cell: ({ claim }) => [claim.device ?? "–", h("small", {}, `${t("trust.claimed")} · ${claim.sourceName}`)] },
      { label: t("col.task"), cell: ({ claim }) => claim.task ?? "–" },
      { label: t("col.figure"), cell: ({ each }) => `${each.name}${each.batch ? ` · b${each.batch}` : ""}${each.precision ? ` · ${each.precision}` : ""}` },
      { label: t("col.value"), number: true, cell: ({ each }) => `${num(each.value, 4)} ${each.unit ?? ""}` },
      { label: t("col.caveat"), cell: ({ claim, each }) => [...claim.caveats, each.caveat].filter(Boolean).join("; ") }],
  }));
}
