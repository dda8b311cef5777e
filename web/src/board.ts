/** A board's index, ready for questions: rows by id, passes by report, records by id. Pure. */

import { cheapest, preferred, base } from "./catalogue";
import type { Device, Index, Num, Passes, Price, Reports, Task, Texts, Vendor } from "./data";
import { estimate, type Estimate } from "./stats";

/** The text of a row; null where there is none. */
export function text(column: Texts, row: number): string | null {
  const at = column.at[row];
  return at === null || at === undefined ? null : (column.of[at] ?? null);
}

export class Board {
  readonly reports: Reports;
  readonly passes: Passes;
  readonly count: number;
  readonly devices: Map<string, Device>;
  readonly vendors: Map<string, Vendor>;
  readonly tasks: Map<string, Task>;
  private readonly rowOf: Map<string, number>;
  private readonly first: Int32Array;

  constructor(readonly index: Index) {
    this.reports = index.reports;
    this.passes = index.passes;
    this.count = index.reports.id.length;
    this.devices = new Map(index.devices.map((each) => [each.id, each]));
    this.vendors = new Map(index.vendors.map((each) => [each.id, each]));
    this.tasks = new Map(index.tasks.map((each) => [each.id, each]));
    this.rowOf = new Map(index.reports.id.map((id, row) => [id, row]));
    this.first = new Int32Array(this.count + 1).fill(-1);
    const of = index.passes.report;
    for (let at = of.length - 1; at >= 0; at -= 1) this.first[of[at]] = at;
  }

  /** The row of a report by its id, or the first digits of it; -1 where it is not here. */
  row(id: string): number {
    return this.rowOf.get(id.slice(0, 12)) ?? -1;
  }

  /** Rows of the report's timed passes. */
  passesOf(report: number): number[] {
    const found: number[] = [];
    if (this.first[report] < 0) return found;
    for (let at = this.first[report]; this.passes.report[at] === report; at += 1) found.push(at);
    return found;
  }

  throughput(pass: number): Estimate | null {
    const p = this.passes;
    return estimate(p.throughput[pass], p.throughputLow[pass], p.throughputHigh[pass]);
  }

  latency(pass: number, which: "p50" | "p90" | "p99"): Estimate | null {
    const p = this.passes;
    return estimate(p[which][pass], p[`${which}Low`][pass], p[`${which}High`][pass]);
  }

  /** The device as its catalogue or its driver calls it. */
  deviceName(report: number, lang: "en" | "zh"): string {
    const id = text(this.reports.device, report);
    const known = id === null ? undefined : this.devices.get(id);
    return (known && ((lang === "zh" && known.names.zh) || known.names.en)) ?? text(this.reports.deviceName, report) ?? "–";
  }

  /** Rated power in watts; null where nobody told it. */
  tdp(device: string | null): Num {
    const found = device === null ? undefined : this.devices.get(device);
    const figure = preferred(found?.power?.find((each) => each.kind === "tdp")?.figures);
    return figure ? base(figure, "watts") : null;
  }

  /** How many of `currency` one `from` is; null where no rate is known. `fx` is CNY per USD as the reader says it. */
  exchange(from: string, currency: string, fx: Num): Num {
    if (from === currency) return 1;
    if (fx !== null && fx > 0) {
      if (from === "USD" && currency === "CNY") return fx;
      if (from === "CNY" && currency === "USD") return 1 / fx;
    }
    for (const each of this.index.meta.rates) {
      if (each.from === from && each.to === currency) return each.rate;
      if (each.from === currency && each.to === from) return 1 / each.rate;
    }
    return null;
  }

  /** The lowest known price in `currency`: a private one first, then that of the catalogue. */
  price(device: string | null, kind: "buy" | "rent", currency: string, fx: Num): { amount: number; price: Price; own: boolean } | null {
    if (device === null) return null;
    const own = this.index.meta.prices.filter((each) => each.device === device);
    for (const [prices, mine] of [[own, true], [this.devices.get(device)?.prices ?? [], false]] as const) {
      const found = [...new Set(prices.map((each) => each.currency))].flatMap((from) => {
        const low = cheapest(prices, kind, from);
        const rate = this.exchange(from, currency, fx);
        return low && rate !== null ? [{ amount: low.each * rate, price: low.price, own: mine }] : [];
      });
      found.sort((a, b) => a.amount - b.amount);
      if (found.length) return found[0];
    }
    return null;
  }
}
