/** How figures come about, where data come from, and the data themselves. */

import { h, type Child } from "../dom";
import type { Context, Shown } from "../main";
import { table } from "../table";
import { named, num, scaled, spoken, t } from "../words";
import { deviceName } from "./hardware";

const FORMULAS: readonly [string, string][] = [
  ["cost", "$/h = ((device + host + network)·CRF(r, n) + support) ÷ (8760·u) + kW·PUE·$/kWh + porting ÷ (devices·n·8760·u)"],
  ["crf", "CRF(r, n) = r·(1 + r)ⁿ ÷ ((1 + r)ⁿ − 1);  1 ÷ n for r = 0"],
  ["million", "$/M = $/h·10⁶ ÷ (throughput·3600)"],
  ["cards", "⌈rate ÷ (throughput·(1 − headroom))⌉ + spare"],
  ["mix", "rate = Σw ÷ Σ(w ÷ rate)"],
  ["drift", "relative L2 = ‖y − r‖₂ ÷ ‖r‖₂;  SQNR = 10·log₁₀(Σr² ÷ Σ(y − r)²) dB"],
  ["distance", "√(Σ w·ln²(ratio) ÷ Σw)"],
];

export function methods(context: Context): Shown {
  return { controls: null, answer: () => answer(context) };
}

function answer({ board, link }: Context): HTMLElement {
  const { meta, lints, rules, recipes, downloads } = board.index;
  const own = meta.prices.flatMap((price) => { const device = board.devices.get(price.device); return device ? [{ device, price }] : []; });
  const prices = [...own, ...board.index.devices.flatMap((device) => (device.prices ?? []).map((price) => ({ device, price })))];
  return h("div", { class: "prose" }, h("h1", {}, t("view.methods")), h("p", { class: "lead" }, t("methods.lead")),
    h("h2", {}, t("methods.formulas")), h("dl", { class: "sheet" }, FORMULAS.map(([key, formula]) => h("div", {}, h("dt", {}, t(`formula.${key}`)), h("dd", {}, h("code", {}, formula), h("small", {}, t(`formula.${key}.note`)))))),
    h("h2", {}, t("methods.reading")), h("ul", {}, ["absent", "rank", "trust", "power", "division", "claims", "standin", "listed"].map((key) => h("li", {}, t(`reading.${key}`)))),
    h("h2", {}, t("methods.data")), h("ul", {}, meta.stores.map((each) => h("li", {}, t("methods.store", { name: each.name, reports: each.reports.toLocaleString("en-US") }))), meta.problems.map((each) => h("li", { class: "outed" }, `${each.folder}: ${each.problem}`)), meta.rates.map((each) => h("li", {}, `1 ${each.from} = ${num(each.rate, 5)} ${each.to} · ${each.date} · ${each.source}`))),
    downloads.length ? block(t("methods.downloads"), table({ caption: t("methods.downloads"), rows: downloads, columns: [{ label: t("col.file"), cell: (each) => h("a", { href: each.href, download: "" }, each.href.split("/").pop() ?? each.href) }, { label: t("col.content"), cell: (each) => each.what }, { label: t("col.rows"), number: true, cell: (each) => (each.rows === null ? "–" : each.rows.toLocaleString("en-US")) }, { label: t("col.size"), number: true, cell: (each) => scaled(each.bytes, "B") }] })) : null,
    prices.length ? block(t("methods.prices"), table({ caption: t("methods.prices"), rows: prices, columns: [{ label: t("col.device"), cell: ({ device }) => h("a", { href: link({ view: "hardware", product: device.id }) }, deviceName(device)) }, { label: t("col.price"), number: true, cell: ({ price }) => `${num(price.amount, 5)} ${price.currency}${price.kind === "rent" ? "/h" : ""}` }, { label: t("col.price.for"), cell: ({ price }) => `${price.devices ?? 1}${price.region ? ` · ${price.region}` : ""}${price.term ? ` · ${price.term}` : ""}` }, { label: t("col.created"), cell: ({ price }) => price.date ?? t("hw.noDate") }, { label: t("col.source"), cell: ({ device, price }) => device.sources?.[price.source ?? ""]?.title ?? (price.source === "prices.toml" ? t("cost.own") : price.source) ?? t("hw.noSource") }] })) : null,
    lints.length ? block(t("methods.lints"), table({ caption: t("methods.lints"), rows: lints, columns: [{ label: t("col.device"), cell: (each) => (board.devices.has(each.device) ? h("a", { href: link({ view: "hardware", product: each.device }) }, each.device) : each.device) }, { label: t("col.rule"), cell: (each) => `${named("lint", each.level)} · ${each.rule}` }, { label: t("col.where"), cell: (each) => h("code", {}, each.where) }, { label: t("col.text"), cell: (each) => each.text }] })) : null,
    rules.length ? block(t("methods.rules"), table({ caption: t("methods.rules"), rows: rules, columns: [{ label: t("col.rule"), cell: (each) => h("code", {}, each.id) }, { label: t("col.level"), cell: (each) => each.level }, { label: t("col.text"), cell: (each) => (spoken() === "zh" && each.zh) || each.text }] })) : null,
    recipes.length ? block(t("methods.recipes"), table({ caption: t("methods.recipes"), rows: recipes, columns: [{ label: t("col.stack"), cell: (each) => [each.stacks.join(", "), h("small", {}, each.models[spoken()])] }, { label: t("col.symptom"), cell: (each) => [each.title[spoken()], h("small", {}, each.symptom[spoken()])] }, { label: t("col.change"), cell: (each) => [each.change[spoken()], h("small", {}, each.arguments.join(" "))] }, { label: t("col.effect"), cell: (each) => each.effect[spoken()].map((line) => h("div", {}, line)) }, { label: t("col.report"), cell: (each) => each.evidence.map((id) => (board.row(id) < 0 ? `${id.slice(0, 8)} ` : h("a", { href: link({ view: "report", report: id }) }, `${id.slice(0, 8)} `))) }] })) : null);
}

function block(title: string, content: Child): HTMLElement {
  return h("details", { class: "data block" }, h("summary", {}, h("h2", {}, title)), content);
}
