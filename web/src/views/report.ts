/** One report: what its row says at once, and the rest on demand. */

import { text, type Board } from "../board";
import { axis, figure, rectangles, type Ink, type Option } from "../charts";
import type { Detail, Drift, Timed } from "../data";
import { fill, h, save, unpack, type Child } from "../dom";
import type { Context, Shown } from "../main";
import { draw } from "../charts";
import { table } from "../table";
import { invalid, named, num, scaled, share, spoken, t } from "../words";
import { precisionName, trustMark } from "./performance";
import { textual } from "../controls";

export function report(context: Context): Shown {
  const state = context.state();
  if (state.report && context.board.row(state.report) >= 0) return { controls: null, answer: () => one(context, context.board.row(state.report)) };
  return { controls: null, answer: () => list(context) };
}

function list(context: Context): HTMLElement {
  const { board, link, change } = context;
  const state = context.state();
  const r = board.reports;
  const words = state.search.toLowerCase().split(/\s+/).filter(Boolean);
  const all = Array.from({ length: board.count }, (_, row) => row);
  const rows = words.length ? all.filter((row) => {
    const told = [r.task, r.deviceName, r.backend, r.precision, r.status, r.verdict].map((column) => text(column, row) ?? "").join(" ").toLowerCase();
    return words.every((word) => told.includes(word) || r.id[row].startsWith(word));
  }) : all;
  const search = textual(t("perf.search"), state.search, (value) => {
    change({ search: value }, true);
    (document.querySelector(".find input") as HTMLInputElement | null)?.focus();
  });
  const input = search.querySelector("input") as HTMLInputElement;
  setTimeout(() => input.setSelectionRange(input.value.length, input.value.length));
  return h("div", {}, h("h1", {}, t("view.report")), h("p", { class: "lead" }, t(state.report ? "report.gone" : "report.lead", { id: state.report })),
    h("div", { class: "find" }, search), table<number>({
      caption: t("view.report"), rows, page: state.page, turn: (page) => change({ page }, true), style: (row) => (text(r.status, row) === "ok" ? "" : "out"), columns: [
        { label: t("col.report"), cell: (row) => h("a", { href: link({ view: "report", report: r.id[row] }) }, h("code", {}, r.id[row].slice(0, 8))) },
        { label: t("col.task"), cell: (row) => text(r.task, row) },
        { label: t("col.target"), cell: (row) => [board.deviceName(row, spoken()), h("small", {}, `${text(r.backend, row)} · ${precisionName(board, row)}`)] },
        { label: t("col.verdict"), cell: (row) => verdict(board, row) },
        { label: t("col.accuracy"), number: true, cell: (row) => share(r.accuracyRatio[row], 2) },
        { label: t("col.drift"), number: true, cell: (row) => num(r.relativeL2[row], 2) },
        { label: t("col.trust"), cell: (row) => trustMark(board, row) },
        { label: t("col.created"), cell: (row) => r.created[row].slice(0, 10) }] }));
}

/** The verdict, told by sign and word. */
export function verdict(board: Board, row: number): HTMLElement {
  const status = text(board.reports.status, row) ?? "failed";
  const key = status === "ok" ? (text(board.reports.verdict, row) ?? "unknown") : status;
  return h("span", { class: `verdict ${key}` }, t(`verdict.${key}`));
}

function one(context: Context, row: number): HTMLElement {
  const { board, link } = context;
  const r = board.reports;
  const id = r.id[row];
  const more = h("div", { "aria-busy": "true" }, h("p", { class: "note" }, t("report.loading")));
  context.detail(id).then((detail) => {
    if (!more.isConnected) return;
    fill(more, ...rest(context, row, detail));
    more.removeAttribute("aria-busy");
    draw();
  }, () => { fill(more, h("p", { class: "empty" }, t("report.noDetail"))); more.removeAttribute("aria-busy"); });
  const tile = (label: string, value: Child, note: Child = null): HTMLElement => h("div", { class: "tile" }, h("span", {}, label), h("b", {}, value), note ? h("small", {}, note) : null);
  const executed = text(r.executed, row);
  return h("article", { class: "report" },
    h("p", { class: "crumb" }, h("a", { href: link({ report: "" }) }, t("view.report")), " / ", h("code", {}, id)),
    h("h1", {}, `${text(r.task, row)} · ${board.deviceName(row, spoken())}`),
    h("p", { class: "lead" }, `${text(r.backend, row)} ${text(r.stack, row) ?? ""} · ${precisionName(board, row)} · ${text(r.host, row) ?? ""} · ${r.created[row].slice(0, 10)}`),
    h("div", { class: "strip" }, verdict(board, row), trustMark(board, row), text(r.effort, row) === "quick" ? h("span", { class: "mark" }, t("report.quick")) : null, r.untested[row] ? h("span", { class: "mark" }, t("report.untested")) : null),
    text(r.reasons, row) ? h("p", { class: "reason" }, text(r.reasons, row)) : null,
    h("div", { class: "tiles" },
      tile(t("fact.accuracy"), share(r.accuracy[row], 2), `${text(r.metric, row) ?? ""} · ${t("fact.ofReference", { share: share(r.accuracyRatio[row], 2) })}`),
      tile(t("fact.drift"), num(r.relativeL2[row]), r.sqnrDb[row] === null ? t("none") : `SQNR ${num(r.sqnrDb[row])} dB`),
      tile(t("fact.flip"), r.agreement[row] === null ? "–" : share(1 - (r.agreement[row] as number), 2), t("fact.flip.note")),
      tile(t("fact.executed"), executed ?? "–", t("fact.asked", { precision: text(r.precision, row) ?? "–" })),
      tile(t("fact.sparsity"), share(r.sparsity[row]), named("sparsityTrust", text(r.sparsityTrust, row))),
      tile(t("fact.coverage"), share(r.coverage[row]), r.fallbacks[row] === null ? t("none") : t("fact.fallbacks", { count: String(r.fallbacks[row]) })),
      tile(t("fact.compile"), scaled(r.compileS[row], "s"), scaled(r.sizeBytes[row], "B"))),
    passes(board, row), more, history(context, row));
}

function passes(board: Board, row: number): HTMLElement {
  const p = board.passes;
  const rows = board.passesOf(row);
  if (!rows.length) return h("p", { class: "empty" }, t("report.noPasses"));
  const quantile = (at: number, which: "p50" | "p90" | "p99"): Child[] => {
    const found = board.latency(at, which);
    return [scaled(found?.value, "s"), found?.low == null ? null : h("small", {}, `${scaled(found.low, "s")} – ${scaled(found.high, "s")}`)];
  };
  return h("section", {}, h("h2", {}, t("report.passes")), table<number>({
    caption: t("report.passes"), rows, style: (at) => (text(p.against, at) === null ? "" : "out"), columns: [
      { label: t("col.scenario"), cell: (at) => [named("scenario", text(p.scenario, at)), h("small", {}, `batch ${p.batch[at] ?? "–"}${p.concurrency[at] ? ` · ×${p.concurrency[at]}` : ""}`), ...against(text(p.against, at))] },
      { label: "p50", number: true, cell: (at) => quantile(at, "p50") }, { label: "p90", number: true, cell: (at) => quantile(at, "p90") }, { label: "p99", number: true, cell: (at) => quantile(at, "p99") },
      { label: t("metric.throughput.unit"), number: true, cell: (at) => { const found = board.throughput(at); return [num(found?.value, 4), found?.low == null ? null : h("small", {}, `${num(found.low)} – ${num(found.high)}`)]; } },
      { label: t("col.power"), number: true, cell: (at) => (p.watts[at] === null ? "–" : [scaled(p.watts[at], "W"), h("small", {}, named("power", text(p.wattsKind, at)))]) }] }));
}

function rest(context: Context, row: number, detail: Detail): Child[] {
  return [
    ...latency(detail), ...drift(detail), compiled(detail),
    h("section", {}, h("h2", {}, t("report.command")), command(detail.command)),
    recipes(context, detail), reproductions(detail), environment(detail), raw(context, row, detail),
  ];
}

function latency(detail: Detail): Child[] {
  const drawn = detail.measurements.filter((each) => each.histogram || each.line);
  if (!drawn.length) return [];
  return [h("h2", {}, t("report.latency")), ...drawn.map((each) => h("div", { class: "two" }, distribution(each), line(each)))];
}

function name(timed: Timed): string {
  return `${named("scenario", timed.scenario)} · batch ${timed.batch}`;
}

function distribution(timed: Timed): HTMLElement | null {
  const found = timed.histogram;
  if (!found || !found.counts.length) return null;
  const step = (found.highS / found.lowS) ** (1 / found.counts.length);
  const bins = found.counts.map((count, at) => ({ x0: found.lowS * step ** at * 1e3, x1: found.lowS * step ** (at + 1) * 1e3, y: count, tip: `${scaled(found.lowS * step ** at, "s")} – ${scaled(found.lowS * step ** (at + 1), "s")}: ${count}` }));
  const told = timed.quantiles.map((each) => `p${num(each.q * 100)} ${scaled(each.s, "s")}`).join(", ");
  return figure({
    title: `${t("report.distribution")} · ${name(timed)}`, summary: t("report.distribution.summary", { queries: timed.queries.toLocaleString("en-US"), told }), height: 220,
    option: (ink) => ({
      grid: { left: 46, right: 16, top: 18, bottom: 44 }, xAxis: axis(ink, t("front.latencyMs"), { type: "value", min: bins[0].x0, max: bins[bins.length - 1].x1, splitNumber: 5, axisLabel: { showMinLabel: false, showMaxLabel: false } }), yAxis: axis(ink, "", { type: "value", splitNumber: 3 }),
      series: [{ ...rectangles(bins, ink.accent, null), markLine: marks(timed, ink) }],
    }),
    table: () => table({ caption: told, rows: timed.quantiles, columns: [{ label: "", cell: (each) => `p${num(each.q * 100)}` }, { label: t("front.latencyMs"), number: true, cell: (each) => num(each.s * 1e3, 4) }, { label: t("col.interval"), number: true, cell: (each) => (each.lowS === null ? "–" : `${num(each.lowS * 1e3, 4)} – ${num((each.highS ?? NaN) * 1e3, 4)}`) }] }),
  });
}

function marks(timed: Timed, ink: Ink): Option {
  return { symbol: "none", silent: true, precision: 15, lineStyle: { color: ink.ink, type: "dashed", width: 1 }, label: { color: ink.ink, fontSize: 11, formatter: "{b}" }, data: timed.quantiles.filter((each) => [0.5, 0.99].includes(each.q)).map((each) => ({ name: `p${each.q * 100}`, xAxis: each.s * 1e3 })) };
}

function line(timed: Timed): HTMLElement | null {
  const found = timed.line;
  if (!found) return null;
  const steps = found.medianS.length;
  const series = (values: (number | null)[], color: string, type: string): Option => ({ type: "line", symbol: "none", connectNulls: false, lineStyle: { color, width: 1.4, type }, data: values.map((value, at) => [((at + 0.5) * found.endS) / steps, value === null ? null : value * 1e3]) });
  const host = timed.telemetry[0];
  const told = host ? ` ${t("report.telemetry", { names: timed.telemetry.map((each) => each.name).join(", ") })}` : "";
  return figure({
    title: `${t("report.line")} · ${name(timed)}`, summary: t("report.line.summary", { seconds: num(found.endS) }) + told, height: 220,
    option: (ink) => ({
      grid: { left: 52, right: host ? 56 : 16, top: 18, bottom: 44 }, xAxis: axis(ink, t("report.seconds"), { type: "value", max: found.endS }),
      yAxis: [axis(ink, t("front.latencyMs"), { type: "value", scale: true, nameGap: 40, splitNumber: 3 }), ...(host ? [axis(ink, `${host.name} (${host.unit})`, { type: "value", scale: true, nameGap: 44, splitLine: { show: false }, splitNumber: 3, axisLabel: { color: ink.soft, fontSize: 11, formatter: (value: number) => scaled(value, "").trim() } })] : [])],
      series: [series(found.medianS, ink.accent, "solid"), series(found.maxS, ink.soft, "dotted"), ...(host ? [{ type: "line", yAxisIndex: 1, symbol: "none", lineStyle: { color: ink.second, width: 1.2, type: "dashed" }, data: host.values.map((value, at) => [((at + 0.5) * host.endS) / host.values.length, value]) }] : [])],
    }),
    table: () => table({ caption: name(timed), rows: found.medianS.map((_, at) => at), columns: [{ label: t("report.seconds"), number: true, cell: (at) => num(((at + 0.5) * found.endS) / steps) }, { label: t("report.median"), number: true, cell: (at) => scaled(found.medianS[at], "s") }, { label: t("report.max"), number: true, cell: (at) => scaled(found.maxS[at], "s") }] }),
  });
}

function drift(detail: Detail): Child[] {
  const quality = detail.quality;
  if (!quality) return [];
  return [h("h2", {}, t("report.drift")), table<Drift>({ caption: t("report.drift"), rows: quality.drift, columns: [
    { label: t("col.output"), cell: (each) => [each.output, each.mismatch ? h("small", { class: "why" }, each.mismatch) : null] },
    { label: t("col.drift"), number: true, cell: (each) => num(each.relativeL2) }, { label: "SQNR, dB", number: true, cell: (each) => num(each.sqnrDb) }, { label: t("col.cosine"), number: true, cell: (each) => num(each.cosine, 6) },
    { label: t("col.maxAbs"), number: true, cell: (each) => num(each.maxAbs) }, { label: "NaN", number: true, cell: (each) => `${each.nanOutput} / ${each.nanReference}` }, { label: "Inf", number: true, cell: (each) => `${each.infOutput} / ${each.infReference}` },
    { label: t("col.bitEqual"), number: true, cell: (each) => share(each.count ? each.bitEqual / each.count : null) }] }),
  ...quality.drift.slice(0, 3).filter((each) => each.error || each.values).map((each) => h("div", { class: "two" }, errors(each), values(each)))];
}

function bins(low: number, high: number, counts: readonly number[]): { x0: number; x1: number; y: number; tip: string }[] {
  const width = (high - low) / counts.length;
  return counts.map((y, at) => ({ x0: low + at * width, x1: low + (at + 1) * width, y, tip: `${num(low + at * width)} … ${num(low + (at + 1) * width)}: ${y}` }));
}

function errors(of: Drift): HTMLElement | null {
  const found = of.error;
  if (!found) return null;
  return histogram(`${t("report.errors")} · ${of.output}`, t("report.errors.summary", { l2: num(of.relativeL2), max: num(of.maxAbs) }), found, (ink) => [rectangles(bins(found.low, found.high, found.counts), ink.second, null)], [[t("report.errors"), found.counts]]);
}

function values(of: Drift): HTMLElement | null {
  const found = of.values;
  if (!found) return null;
  return histogram(`${t("report.values")} · ${of.output}`, t("report.values.summary"), found, (ink) => [
    rectangles(bins(found.low, found.high, found.reference), ink.faint, null),
    { type: "line", step: "middle", symbol: "none", lineStyle: { color: ink.accent, width: 1.4 }, data: bins(found.low, found.high, found.output).map((each) => ({ value: [(each.x0 + each.x1) / 2, each.y], tip: each.tip })) }],
  [[t("report.reference"), found.reference], [t("report.output"), found.output]]);
}

function histogram(title: string, summary: string, range: { low: number; high: number }, series: (ink: Ink) => Option[], columns: [string, number[]][]): HTMLElement {
  const step = (range.high - range.low) / columns[0][1].length;
  return figure({
    title, summary, height: 200,
    option: (ink) => ({ grid: { left: 52, right: 16, top: 12, bottom: 30 }, xAxis: axis(ink, "", { type: "value", min: range.low, max: range.high, splitNumber: 4, axisLabel: { color: ink.soft, fontSize: 11, formatter: (value: number) => num(value, 2) } }), yAxis: axis(ink, "", { type: "value", splitNumber: 3 }), series: series(ink) }),
    table: () => table({ caption: title, rows: columns[0][1].map((_, at) => at), columns: [{ label: t("report.from"), number: true, cell: (at) => num(range.low + at * step) }, ...columns.map(([label, counts]) => ({ label, number: true, cell: (at: number) => String(counts[at]) }))] }),
  });
}

function compiled(detail: Detail): Child {
  if (!detail.builds.length && !detail.artifacts.length) return null;
  return h("section", {}, h("h2", {}, t("report.compiled")), table({ caption: t("report.compiled"), rows: detail.builds, columns: [
    { label: "batch", cell: (each) => String(each.batch) }, { label: t("fact.executed"), cell: (each) => each.executed ?? "–" }, { label: t("fact.compile"), number: true, cell: (each) => scaled(each.compileS, "s") },
    { label: t("fact.coverage"), number: true, cell: (each) => share(each.coverageFlops ?? each.coverageNodes) }, { label: t("col.fallbacks"), cell: (each) => each.fallbacks.join(", ") || "–" },
    { label: t("col.settings"), cell: (each) => h("code", {}, Object.entries(each.settings).map(([key, value]) => `${key}=${value}`).join(" ")) }] }),
  h("h3", {}, t("report.artifacts")), table({ caption: t("report.artifacts"), rows: detail.artifacts, columns: [
    { label: t("col.file"), cell: (each) => [each.name, h("small", {}, h("code", {}, each.sha256.slice(0, 12)))] }, { label: t("col.maker"), cell: (each) => each.maker }, { label: t("col.format"), cell: (each) => each.format }, { label: t("col.size"), number: true, cell: (each) => scaled(each.sizeBytes, "B") }, { label: t("fact.sparsity"), number: true, cell: (each) => share(each.sparsity) }] }));
}

function command(words: string[]): HTMLElement {
  const line = words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(" ");
  const said = h("span", { class: "note", role: "status" });
  return h("div", { class: "command" }, h("pre", { tabindex: 0 }, h("code", {}, line)), h("button", { type: "button", onclick: () => {
    navigator.clipboard?.writeText(line).then(() => fill(said, t("report.copied")), () => fill(said, t("report.notCopied")));
    if (!navigator.clipboard) fill(said, t("report.notCopied"));
  } }, t("report.copy")), said);
}

function recipes({ board }: Context, detail: Detail): Child {
  const found = board.index.recipes.filter((each) => detail.recipes.includes(each.id));
  return found.length ? h("section", {}, h("h2", {}, t("report.recipes")), h("ul", {}, found.map((each) => h("li", {}, h("b", {}, each.title[spoken()]), ` ${each.change[spoken()]} `, h("code", {}, each.arguments.join(" ")), h("small", {}, each.effect[spoken()].join(" · ")))))) : null;
}

function reproductions(detail: Detail): Child {
  if (!detail.reproductions.length && !detail.signatures.length) return null;
  return h("section", {}, h("h2", {}, t("report.reproductions")), h("ul", {}, detail.reproductions.map((each) => h("li", {}, `${each.created.slice(0, 10)}: `, t("report.reproduction", { yes: String(each.reproduced), no: String(each.notReproduced), open: String(each.ambiguous + each.notComparable), outputs: each.outputs }))), detail.signatures.map((key) => h("li", {}, `${t("report.signed")} `, h("code", {}, key)))));
}

/** What speaks against a pass: in few words, and as the report has it. */
function against(reasons: string | null): Child[] {
  return reasons ? [h("small", { class: "why" }, `✗ ${invalid(reasons)}`), h("details", { class: "why" }, h("summary", {}, t("report.against")), ...reasons.split("; ").map((each) => h("p", { class: "note" }, each)))] : [];
}

function environment(detail: Detail): HTMLElement {
  const of = detail.environment;
  const list = (pairs: [string, string][]): HTMLElement => h("dl", {}, pairs.map(([key, value]) => h("div", {}, h("dt", {}, key), h("dd", {}, value))));
  const hashes = ([["lock", of?.lockSha256], ["adapter", of?.adapterSha256]] as const).flatMap(([name, hash]): [string, string][] => hash ? [[t(`environment.${name}`), hash.slice(0, 12)]] : []);
  return h("section", {}, h("h2", {}, t("report.environment")), h("h3", {}, t("report.host")), list(detail.host.map(([name, value]) => [named("host", name), value])),
    of ? [h("h3", {}, t("report.stack")), list([[t("environment.kind"), named("environment", of.kind)], ["Python", of.python], ...Object.entries(of.probes), ...hashes]),
      h("details", { class: "data" }, h("summary", {}, t("report.packages", { count: String(Object.keys(of.packages).length) })), list(Object.entries(of.packages)))] : null);
}

function raw({ board }: Context, row: number, detail: Detail): HTMLElement {
  const stem = `${text(board.reports.task, row)}-${detail.id.slice(0, 12)}`;
  const gzip = detail.raw.gzip;
  return h("section", {}, h("h2", {}, t("report.raw")), h("p", {},
    detail.raw.href ? h("a", { href: detail.raw.href, download: "" }, "report.json") : null, detail.raw.href ? " · " : null,
    gzip ? h("button", { type: "button", onclick: () => void unpack(gzip).then((json) => save(`${stem}.json`, json, "application/json")) }, t("report.saveRaw")) : null, " ",
    h("button", { type: "button", onclick: () => save(`${stem}-shown.json`, `${JSON.stringify({ ...detail, raw: undefined }, null, 1)}\n`, "application/json") }, t("report.saveShown"))),
  h("p", { class: "note" }, `${t("report.id")} `, h("code", {}, detail.id)));
}

function history(context: Context, row: number): Child {
  const { board, link } = context;
  const r = board.reports;
  const same: number[] = [];
  for (let at = 0; at < board.count; at += 1)
    if ([r.task, r.device, r.deviceName, r.host, r.backend, r.precision, r.passes].every((column) => column.at[at] === column.at[row])) same.push(at);
  if (same.length < 2) return null;
  return h("section", {}, h("h2", {}, t("report.history")), table<number>({ caption: t("report.history"), rows: same.slice(0, 30), style: (at) => (at === row ? "first" : ""), columns: [
    { label: t("col.created"), cell: (at) => h("a", { href: link({ report: r.id[at] }), "aria-current": at === row ? "true" : null }, r.created[at].slice(0, 10)) }, { label: t("col.stack"), cell: (at) => text(r.stack, at) ?? "–" }, { label: t("col.verdict"), cell: (at) => verdict(board, at) },
    { label: t("metric.throughput"), number: true, cell: (at) => num(Math.max(...board.passesOf(at).map((pass) => board.throughput(pass)?.value ?? NaN).filter((each) => !Number.isNaN(each)))) }, { label: t("col.drift"), number: true, cell: (at) => num(r.relativeL2[at], 2) }, { label: t("col.trust"), cell: (at) => trustMark(board, at) }] }));
}
