/** The catalogue: a table in groups of columns, a chart, and a sheet per product. */

import { text } from "../board";
import { base, cheapest, facts, preferred, rows, SCALES, type Row } from "../catalogue";
import { axis, figure } from "../charts";
import { choice, section, select, textual } from "../controls";
import type { Device, Fact, Figure, Price } from "../data";
import { h, type Child } from "../dom";
import { evidence, sources } from "../evidence";
import { figure as taken } from "../find";
import type { Context, Shown } from "../main";
import { table, type Column } from "../table";
import { named, num, scaled, spoken, t } from "../words";

/** Columns of each group: paths of quantities and facts. */
const GROUPS: Record<string, string[]> = {
  compute: ["engines.tensor.int8", "engines.tensor.fp8", "engines.tensor.bf16", "engines.tensor.fp16", "engines.tensor.tf32", "engines.vector.fp32"],
  memory: ["memory.main.capacity", "memory.main.bandwidth", "memory.main.technology", "memory.l2.capacity", "memory.l1.capacity"],
  power: ["power.tdp", "power.typical", "power.measured_max", "process", "form_factor", "interface"],
  links: ["links.0.name", "links.0.bandwidth", "links.0.down", "links.0.up", "links.0.rdma"],
  architecture: ["elements.architecture", "elements.parallelism", "elements.bandwidth", "engines.tensor.dtypes", "engines.vector.dtypes", "engines.scalar.dtypes"],
  price: ["price.buy", "price.rent"],
};

const told = new WeakMap<Device, { rows: Map<string, Row>; facts: Map<string, Fact[]> }>();

function of(device: Device): { rows: Map<string, Row>; facts: Map<string, Fact[]> } {
  let found = told.get(device);
  if (!found) told.set(device, (found = { rows: rows(device), facts: facts(device) }));
  return found;
}

export function deviceName(device: Device): string {
  return (spoken() === "zh" && device.names.zh) || device.names.en;
}

export function hardware(context: Context): Shown {
  const { board, change } = context;
  const state = context.state();
  if (state.product && board.devices.has(state.product)) return { controls: null, answer: () => sheet(context, board.devices.get(state.product) as Device) };
  const kinds = [...new Set(board.index.devices.map((each) => each.kind))].sort();
  const vendors = [...new Set(board.index.devices.map((each) => each.vendor))].sort();
  const controls = h("form", { onsubmit: (event) => event.preventDefault() }, section(t("perf.filters"), true,
    textual(t("perf.search"), state.search, (search) => change({ search }, true)),
    select(t("hw.kind"), state.kind, [["", t("any")], ...kinds.map((each) => [each, named("kind", each)] as const)], (kind) => change({ kind }, true)),
    select(t("hw.vendor"), state.vendor, [["", t("any")], ...vendors.map((each) => [each, board.vendors.get(each)?.names.en ?? each] as const)], (vendor) => change({ vendor }, true)),
    choice(t("hw.columns"), state.group, Object.keys(GROUPS).map((each) => [each, t(`group.${each}`)] as const), (group) => change({ group, sort: "" }, true))));
  return { controls, answer: () => list(context) };
}

function list(context: Context): HTMLElement {
  const { board, change, link } = context;
  const state = context.state();
  const words = state.search.toLowerCase().split(/\s+/).filter(Boolean);
  const devices = board.index.devices.filter((each) => (!state.kind || each.kind === state.kind) && (!state.vendor || each.vendor === state.vendor)
    && words.every((word) => [each.id, each.names.en, each.names.zh ?? "", each.vendor, ...(each.aliases ?? [])].join(" ").toLowerCase().includes(word)));
  const submitted = new Set(board.reports.device.of);
  const paths = GROUPS[state.group] ?? GROUPS.compute;
  return h("div", {}, h("h1", {}, t("view.hardware")), h("p", { class: "lead" }, t("hw.lead", { shown: String(devices.length), all: String(board.index.devices.length), submitted: String(submitted.size) })),
    scatter(context, devices), table<Device>({
      caption: t("view.hardware"), rows: state.sort ? sorted(devices, state.sort) : devices.filter((each) => submitted.has(each.id)).concat(devices.filter((each) => !submitted.has(each.id))), sorted: state.sort, sort: (sort) => change({ sort }, true), columns: [
        { label: t("col.device"), sort: "name", cell: (each) => [h("a", { href: link({ product: each.id }) }, deviceName(each)), h("small", {}, `${board.vendors.get(each.vendor)?.names.en ?? each.vendor} · ${named("kind", each.kind)} · ${named("scope", each.scope)}`)] },
        ...paths.map((path): Column<Device> => ({ label: t(`path.${path}`), number: !isFact(path), sort: path, cell: (each) => cell(each, path) })),
        { label: t("hw.standing"), cell: (each) => h("span", { class: "mark" }, t(submitted.has(each.id) ? "hw.submitted" : "hw.listed")) }] }),
    h("p", { class: "note" }, t("hw.note")));
}

function isFact(path: string): boolean {
  return /technology|form_factor|interface|architecture|parallelism|dtypes|name|rdma/.test(path);
}

function cell(device: Device, path: string): Child {
  if (path.startsWith("price.")) {
    const prices = (device.prices ?? []).filter((each) => `price.${each.kind}` === path);
    const low = prices[0];
    return low ? evidence(device, `${num(low.amount / (low.devices ?? 1), 4)} ${low.currency}${low.kind === "rent" ? "/h" : ""}`, prices) : unknown();
  }
  const found = of(device);
  const row = found.rows.get(path);
  if (row) return evidence(device, shown(row), row.figures);
  const fact = found.facts.get(path);
  return fact ? evidence(device, preferred(fact)?.text ?? "", fact) : unknown();
}

function unknown(): HTMLElement {
  return h("span", { class: "soft" }, "–", h("span", { class: "hidden" }, t("none")));
}

/** The figure that is taken, in the unit of its column. */
function shown(row: Row): string {
  const figure = preferred(row.figures) as Figure;
  const unit = { operations: "OPS", bytes: "B", bytes_per_second: "B/s", watts: "W", nanometres: "nm" }[row.quantity];
  if (row.quantity === "operations") return `${num(base(figure, row.quantity) / 1e12)} T`;
  return row.quantity === "bytes" || row.quantity === "nanometres" ? `${num(figure.value)} ${figure.unit}` : scaled(base(figure, row.quantity), unit);
}

function sorted(devices: Device[], key: string): Device[] {
  const down = key.startsWith("-");
  const path = key.replace(/^-/, "");
  if (!path) return devices;
  const value = (device: Device): number | string | null => {
    if (path === "name") return device.names.en.toLowerCase();
    if (path.startsWith("price.")) return cheapest(device.prices, path.slice(6) as Price["kind"], "USD")?.each ?? null;
    const row = of(device).rows.get(path);
    const figure = preferred(row?.figures);
    if (row && figure) return figure.value * (SCALES[row.quantity][figure.unit] ?? 1);
    return preferred(of(device).facts.get(path))?.text ?? null;
  };
  const all = devices.map((device) => ({ device, value: value(device) }));
  all.sort((a, b) => {
    if (a.value === null || b.value === null) return Number(a.value === null) - Number(b.value === null);
    return (a.value < b.value ? -1 : a.value > b.value ? 1 : 0) * (down ? -1 : 1);
  });
  return all.map((each) => each.device);
}

function scatter(context: Context, devices: Device[]): HTMLElement {
  const points = devices.flatMap((device) => {
    const peak = taken(device, "fp16"), bandwidth = taken(device, "bandwidth"), memory = taken(device, "memory");
    return peak && bandwidth ? [{ device, x: peak.value / 1e12, y: bandwidth.value / 1e9, gb: memory ? memory.value / 1e9 : null }] : [];
  });
  const size = (gb: number | null): number => (gb === null ? 7 : Math.min(44, 5 + Math.sqrt(gb) * 2.1));
  const top = points.slice().sort((a, b) => b.x - a.x)[0];
  return figure({
    title: t("hw.scatter"), summary: top ? t("hw.scatter.summary", { shown: String(points.length), all: String(devices.length), name: deviceName(top.device), peak: num(top.x) }) : t("hw.scatter.none"), height: 340,
    open: (data) => context.change({ product: (data as { id: string }).id }),
    option: (ink) => ({
      grid: { left: 64, right: 40, top: 16, bottom: 46 }, xAxis: axis(ink, t("hw.peak"), { type: "log" }), yAxis: axis(ink, t("hw.bandwidth"), { type: "log", nameGap: 46 }),
      series: [{ type: "scatter", data: points.map((each) => ({
        value: [each.x, each.y], id: each.device.id, symbolSize: size(each.gb), symbol: { gpu: "circle", asic: "diamond", cpu: "rect" }[each.device.kind],
        tip: `${deviceName(each.device)}\n${num(each.x)} TFLOPS · ${num(each.y)} GB/s · ${each.gb === null ? t("none") : `${num(each.gb)} GB`}` })), itemStyle: { color: ink.accent, opacity: 0.55, borderColor: ink.surface, borderWidth: 1 } }],
    }),
    table: () => table({ caption: t("hw.scatter"), rows: points, columns: [{ label: t("col.device"), cell: (each) => deviceName(each.device) }, { label: t("hw.peak"), number: true, cell: (each) => num(each.x, 4) }, { label: t("hw.bandwidth"), number: true, cell: (each) => num(each.y, 4) }, { label: t("hw.memory"), number: true, cell: (each) => num(each.gb) }] }),
  });
}

function sheet(context: Context, device: Device): HTMLElement {
  const { board, link } = context;
  const vendor = board.vendors.get(device.vendor);
  const reports = board.reports.id.map((_, row) => row).filter((row) => text(board.reports.device, row) === device.id);
  const lints = board.index.lints.filter((each) => each.device === device.id);
  const all: [string, (Figure | Fact | Price)[]][] = [...[...of(device).rows].map(([name, row]): [string, Figure[]] => [name, row.figures]), ...of(device).facts];
  if (device.prices?.length) all.push(["prices", device.prices]);
  return h("article", {}, h("p", { class: "crumb" }, h("a", { href: link({ product: "" }) }, t("view.hardware")), ` / ${device.id}`), h("h1", {}, deviceName(device)),
    h("p", { class: "lead" }, `${vendor?.names.en ?? device.vendor} · ${named("kind", device.kind)} · ${named("scope", device.scope)} · ${t(reports.length ? "hw.reports" : "hw.listed", { count: String(reports.length) })}`),
    h("p", {}, h("a", { href: link({ view: "find", like: device.id, product: "" }) }, t("hw.findLike")), reports.length ? [" · ", h("a", { href: link({ view: "report", report: "", search: text(board.reports.deviceName, reports[0]) ?? "", product: "" }) }, t("hw.itsReports"))] : null),
    device.note ? h("p", { class: "note" }, device.note) : null,
    h("h2", {}, t("hw.figures")), h("dl", { class: "sheet" }, all.map(([name, figures]) => h("div", {}, h("dt", {}, path(name)), h("dd", {}, sources(device, figures))))),
    lints.length ? h("section", {}, h("h2", {}, t("hw.lints")), h("ul", {}, lints.map((each) => h("li", {}, h("b", {}, `${named("lint", each.level)} `), h("code", {}, each.where), `: ${each.text}`)))) : null,
    vendor?.facts?.length ? h("section", {}, h("h2", {}, vendor.names.en), h("ul", {}, vendor.facts.map((each) => h("li", {}, h("b", {}, named("vendorFact", each.name)), `: ${each.text} `, h("small", {}, `${vendor.sources?.[each.source ?? ""]?.title ?? each.source ?? t("hw.noSource")} · ${each.date ?? t("hw.noDate")}`))))) : null);
}

function path(name: string): string {
  const words = t(`path.${name}`);
  return words === `path.${name}` ? name : words;
}
