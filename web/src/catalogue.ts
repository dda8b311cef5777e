/** Figures of products: every quantity as one list of rows, and the base units. The twin of `accelbench.hardware.rows`. Pure. */

import type { Device, Fact, Figure, Price } from "./data";

export type Quantity = "operations" | "bytes" | "bytes_per_second" | "watts" | "nanometres";

/** What one of a unit is in the base unit of its quantity. */
export const SCALES: Record<Quantity, Record<string, number>> = {
  operations: { TOPS: 1e12, TFLOPS: 1e12, GOPS: 1e9, GFLOPS: 1e9, PFLOPS: 1e15, POPS: 1e15 },
  bytes: { kB: 1e3, KiB: 2 ** 10, MB: 1e6, MiB: 2 ** 20, GB: 1e9, GiB: 2 ** 30, TB: 1e12, TiB: 2 ** 40 },
  bytes_per_second: { "GB/s": 1e9, "GiB/s": 2 ** 30, "TB/s": 1e12, "TiB/s": 2 ** 40, "Tbit/s": 1e12 / 8 },
  watts: { W: 1, kW: 1e3 },
  nanometres: { nm: 1 },
};

export interface Row { name: string; quantity: Quantity; figures: Figure[] }

/** Every quantity that has a figure, by its path in the record: `engines.tensor.int8[2:4]`, `memory.main.bandwidth`. */
export function rows(device: Device): Map<string, Row> {
  const found = new Map<string, Row>();
  const add = (name: string, quantity: Quantity, figures: Figure[] | undefined): void => {
    if (figures?.length) found.set(name, { name, quantity, figures });
  };
  for (const engine of device.engines ?? [])
    for (const peak of engine.peaks ?? [])
      add(`engines.${engine.name}.${peak.dtype}${peak.sparsity ? `[${peak.sparsity}]` : ""}`, "operations", peak.figures);
  for (const level of device.memory ?? []) {
    add(`memory.${level.level}.capacity`, "bytes", level.capacity);
    add(`memory.${level.level}.bandwidth`, "bytes_per_second", level.bandwidth);
  }
  add("elements.bandwidth", "bytes_per_second", device.elements?.bandwidth);
  (device.links ?? []).forEach((link, at) => {
    add(`links.${at}.down`, "bytes_per_second", link.down);
    add(`links.${at}.up`, "bytes_per_second", link.up);
    add(`links.${at}.bandwidth`, "bytes_per_second", link.bandwidth);
  });
  for (const power of device.power ?? []) add(`power.${power.kind}`, "watts", power.figures);
  add("process", "nanometres", device.process);
  return found;
}

/** Every text that was told, by its path. */
export function facts(device: Device): Map<string, Fact[]> {
  const found = new Map<string, Fact[]>();
  const add = (name: string, told: Fact[] | undefined): void => {
    if (told?.length) found.set(name, told);
  };
  for (const engine of device.engines ?? []) add(`engines.${engine.name}.dtypes`, engine.dtypes);
  for (const level of device.memory ?? []) add(`memory.${level.level}.technology`, level.technology);
  add("elements.architecture", device.elements?.architecture);
  add("elements.parallelism", device.elements?.parallelism);
  (device.links ?? []).forEach((link, at) => {
    for (const name of ["name", "ports", "rdma", "detail"] as const) add(`links.${at}.${name}`, link[name]);
  });
  add("form_factor", device.form_factor);
  add("interface", device.interface);
  add("regions", device.regions);
  return found;
}

/** The one to take: that which is preferred, else the first; null where nothing is told. */
export function preferred<T extends { preferred?: string }>(told: readonly T[] | undefined): T | null {
  return told?.find((each) => each.preferred !== undefined) ?? told?.[0] ?? null;
}

/** A figure in the base unit of its quantity. */
export function base(figure: Figure, quantity: Quantity): number {
  const scale = SCALES[quantity][figure.unit];
  if (scale === undefined) throw new RangeError(`${figure.unit} is no unit of ${quantity}`);
  return figure.value * scale;
}

/** The figure to take at a path, if it is of the product itself, and its value in base units. */
export function taken(device: Device, name: string, told = rows(device)): { figure: Figure; value: number; row: Row } | null {
  const row = told.get(name);
  const figure = preferred(row?.figures);
  if (!row || !figure || (figure.scope !== undefined && figure.scope !== device.scope)) return null;
  return { figure, value: base(figure, row.quantity), row };
}

/** The lowest price of a kind in a currency, per device; null where none is told. */
export function cheapest(prices: readonly Price[] | undefined, kind: Price["kind"], currency: string): { price: Price; each: number } | null {
  let best: { price: Price; each: number } | null = null;
  for (const price of prices ?? []) {
    const each = price.amount / (price.devices ?? 1);
    if (price.kind === kind && price.currency === currency && (!best || each < best.each)) best = { price, each };
  }
  return best;
}
