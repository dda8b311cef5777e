/** Figures with all that was told about them, one click away. */

import type { Device, Fact, Figure, Price } from "./data";
import { h, type Child } from "./dom";
import { named, num, t } from "./words";

/** A short text that opens to all figures of a quantity with their sources. */
export function evidence(device: Device, shown: string, told: readonly (Figure | Fact | Price)[]): HTMLElement {
  const several = told.length > 1;
  const made = h("details", { class: "evidence" }, h("summary", {}, shown, several ? h("sup", { title: t("hw.several", { count: String(told.length) }) }, String(told.length)) : null));
  made.addEventListener("toggle", () => { if (made.childElementCount === 1) made.append(sources(device, told)); });
  return made;
}

export function sources(device: Device, told: readonly (Figure | Fact | Price)[]): HTMLElement {
  return h("ul", { class: "sources" }, told.map((each) => h("li", {}, h("b", {}, value(each)), ` · ${named("basis", each.basis)}`, ...origin(device, each),
    "preferred" in each && each.preferred ? h("small", {}, `${t("hw.preferred")}: ${each.preferred}`) : null,
    "derivation" in each && each.derivation ? h("small", {}, each.derivation) : null, each.note ? h("small", {}, each.note) : null)));
}

function value(each: Figure | Fact | Price): string {
  if ("text" in each) return each.text;
  if ("amount" in each) return `${num(each.amount, 5)}${each.amount_to ? ` – ${num(each.amount_to, 5)}` : ""} ${each.currency}${each.kind === "rent" ? "/h" : ""}${(each.devices ?? 1) > 1 ? ` / ${each.devices}` : ""}${each.term ? ` (${each.term})` : ""}`;
  return `${num(each.value, 5)} ${each.unit}`;
}

function origin(device: Device, each: Figure | Fact | Price): Child[] {
  const source = each.source === undefined ? undefined : device.sources?.[each.source];
  const date = each.date ?? source?.date;
  const title = source?.title ?? each.source ?? t("hw.noSource");
  return [" · ", source?.url && /^https?:/.test(source.url) ? h("a", { href: source.url, rel: "noreferrer noopener", target: "_blank" }, title) : title, ` · ${date ?? t("hw.noDate")}`];
}
