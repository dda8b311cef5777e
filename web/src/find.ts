/** Products beside the one in use today: the twin of `accelbench.hardware.compare`. Pure. */

import { facts, rows, taken } from "./catalogue";
import type { Device, Figure } from "./data";
import { HARDWARE_METRICS, type HardwareMetric } from "./state";

export type Relation = "dominates" | "close" | "trade-off" | "dominated" | "not comparable";

/** Gains between this and its inverse are close. */
export const CLOSE = 1.2;

const PATHS: Record<HardwareMetric, string[]> = {
  fp16: ["engines.tensor.fp16", "engines.tensor.bf16"],
  int8: ["engines.tensor.int8"],
  fp8: ["engines.tensor.fp8"],
  memory: ["memory.main.capacity"],
  bandwidth: ["memory.main.bandwidth"],
  tdp: ["power.tdp"],
};

export interface Ratio { name: HardwareMetric; today: Figure; other: Figure; ratio: number; gain: number }
export interface Beside { device: Device; relation: Relation; ratios: Ratio[]; distance: number | null }
/** Rents are per hour and device in `currency`, as `rentOf` tells them. */
export interface Limits { tdp: number | null; memoryBytes: number | null; form: string; region: string; rent: number | null; currency: string; rentOf: (device: Device) => number | null }
/** Why a product does not keep a limit: a key of the words, and what it says. */
export interface Against { key: string; value: string }

const found = new WeakMap<Device, Partial<Record<HardwareMetric, { figure: Figure; value: number } | null>>>();

/** The figure that is taken for a quantity, and its value in base units; null where nothing of the product itself is told. */
export function figure(device: Device, name: HardwareMetric): { figure: Figure; value: number } | null {
  const known = found.get(device) ?? {};
  if (known[name] === undefined) {
    const told = rows(device);
    known[name] = PATHS[name].map((path) => taken(device, path, told)).find((each) => each !== null) ?? null;
    found.set(device, known);
  }
  return known[name] ?? null;
}

/** `other` beside `today`; `weights` are of the distance, 1 each unless told. */
export function beside(today: Device, other: Device, weights: Record<string, number> = {}): Beside {
  const weight = (name: string): number => weights[name] ?? 1;
  const ratios = HARDWARE_METRICS.flatMap((name): Ratio[] => {
    const one = figure(today, name), two = figure(other, name);
    if (!one || !two) return [];
    const ratio = two.value / one.value;
    return [{ name, today: one.figure, other: two.figure, ratio, gain: name === "tdp" ? 1 / ratio : ratio }];
  });
  const whole = ratios.reduce((sum, each) => sum + weight(each.name), 0);
  const squares = ratios.reduce((sum, each) => sum + weight(each.name) * Math.log(each.ratio) ** 2, 0);
  const comparable = whole > 0 && (today.scope === "instance") === (other.scope === "instance");
  const gains = ratios.filter((each) => weight(each.name) > 0).map((each) => each.gain);
  return { device: other, relation: comparable ? relation(gains) : "not comparable", ratios, distance: comparable ? Math.sqrt(squares / whole) : null };
}

/** The products that keep the limits, the nearest first and those that cannot be compared last; and those that do not. */
export function find(
  today: Device, devices: readonly Device[], limits: Limits, weights: Record<string, number> = {},
): { kept: Beside[]; out: { device: Device; against: Against }[] } {
  const kept: Beside[] = [];
  const out: { device: Device; against: Against }[] = [];
  for (const device of devices) {
    if (device.id === today.id) continue;
    const reason = against(device, limits);
    if (reason) out.push({ device, against: reason });
    else kept.push(beside(today, device, weights));
  }
  kept.sort((a, b) => Number(a.distance === null) - Number(b.distance === null) || (a.distance ?? 0) - (b.distance ?? 0) || (a.device.id < b.device.id ? -1 : 1));
  return { kept, out };
}

/** Why a product does not keep the limits; null where it does. A limit on something that nobody told rules out. */
export function against(device: Device, limits: Limits): Against | null {
  const tdp = figure(device, "tdp"), memory = figure(device, "memory");
  if (limits.tdp !== null && !(tdp && tdp.value <= limits.tdp)) return tdp ? { key: "out.tdp", value: `${tdp.value}` } : { key: "out.tdpUnknown", value: "" };
  if (limits.memoryBytes !== null && !(memory && memory.value >= limits.memoryBytes))
    return memory ? { key: "out.memory", value: `${+(memory.value / 1e9).toPrecision(4)}` } : { key: "out.memoryUnknown", value: "" };
  if (limits.form) {
    const all = facts(device);
    const told = [...(all.get("form_factor") ?? []), ...(all.get("interface") ?? [])].map((fact) => fact.text);
    const wanted = limits.form.toLowerCase();
    if (!told.some((text) => text.toLowerCase().includes(wanted)))
      return told.length ? { key: "out.form", value: told.join(" / ") } : { key: "out.formUnknown", value: "" };
  }
  if (limits.region) {
    const places = [...(device.regions ?? []).map((fact) => fact.text), ...(device.prices ?? []).flatMap((price) => price.region ?? [])];
    if (!places.some((place) => place.toLowerCase().includes(limits.region.toLowerCase())))
      return places.length ? { key: "out.region", value: places.join(" / ") } : { key: "out.regionUnknown", value: "" };
  }
  if (limits.rent !== null) {
    const rent = limits.rentOf(device);
    if (rent === null || rent > limits.rent) return rent === null ? { key: "out.rentUnknown", value: "" } : { key: "out.rent", value: `${+rent.toPrecision(4)} ${limits.currency}` };
  }
  return null;
}

function relation(gains: readonly number[]): Relation {
  if (gains.every((gain) => gain >= 1 / CLOSE && gain <= CLOSE)) return "close";
  if (gains.every((gain) => gain >= 1)) return "dominates";
  return gains.every((gain) => gain <= 1) ? "dominated" : "trade-off";
}
