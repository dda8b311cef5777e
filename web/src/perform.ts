/** Judging by results: which configurations meet the requirement, what each comes to, and why others are ruled out. Pure. */

import { type Board, text } from "./board";
import { breakEven, breakEvenRent, commonPower, devicesNeeded, LADDER, perHour, perMillion, type Capital, type Operation, type Porting } from "./cost";
import type { Num, PowerKind } from "./data";
import { order, ranks } from "./rank";
import type { Metric, State } from "./state";
import { mixed, through, type Estimate } from "./stats";

/** Why something is ruled out: a key of the words and what fills it. Numbers are told as they are. */
export interface Reason { key: string; values: Record<string, string | number> }

/** The report and the timed pass that stand for one task of the mix; -1 where there is none. */
export interface Part { task: string; weight: number; report: number; pass: number }

export interface Entry {
  key: number;
  /** Any of its reports, for what all have in common. */
  report: number;
  device: string | null;
  parts: Part[];
  reasons: Reason[];
  rate: Estimate | null;
  p50: Estimate | null;
  p99: Estimate | null;
  accuracy: Num;
  power: Partial<Record<PowerKind, number>>;
  price: Num;
  hour: Num;
  million: Estimate | null;
  even: Estimate | null;
  metric: Estimate | null;
  rank: Num;
}

export interface Answer {
  /** The tasks judged by, with their weights. */
  mix: Record<string, number>;
  /** Ranked ones from the best, then those ruled out. */
  ranked: Entry[];
  out: Entry[];
  /** The kind of power that all figures of power and cost are by; null where none is known. */
  power: PowerKind | null;
  less: boolean;
  /** How many configurations have reports of every task of the mix, of how many. */
  covered: number;
  all: number;
  /** That which break-even prices are held against. */
  against: Entry | null;
}

/** Metrics of which less is better. */
export const LESS: readonly Metric[] = ["latency", "million", "cards"];

const TRUST = ["claimed", "measured", "verified", "reproduced"];

/** The task of most reports: what is shown before a choice. */
export function busiest(board: Board): string | null {
  const counts = new Int32Array(board.reports.task.of.length);
  for (const at of board.reports.task.at) if (at !== null) counts[at] += 1;
  let best = -1;
  counts.forEach((count, at) => { if (best < 0 || count > counts[best]) best = at; });
  return best < 0 ? null : board.reports.task.of[best];
}

/** The mix that a state means: what was chosen and is here, else the task of most reports (in the domain). */
export function mixOf(board: Board, state: State): Record<string, number> {
  const chosen = Object.entries(state.mix).filter(([, weight]) => weight > 0);
  if (chosen.length) return Object.fromEntries(chosen);
  const first = busiest(board);
  return first === null ? {} : { [first]: 1 };
}

/** All configurations judged as the state says. */
export function judge(board: Board, state: State): Answer {
  const mix = mixOf(board, state);
  const entries = grouped(board, state, mix).map((parts) => entryOf(board, state, parts));
  const power = powerOf(entries, state.power);
  for (const entry of entries) priced(board, state, entry, power);
  const against = cheapestOf(entries);
  for (const entry of entries) valued(state, entry, power, against);
  const less = LESS.includes(state.metric);
  const standing = entries.filter((entry) => !entry.reasons.length);
  const found = ranks(standing.map((entry) => entry.metric), less);
  standing.forEach((entry, at) => { entry.rank = found[at]; });
  const out = entries.filter((entry) => entry.reasons.length);
  return {
    mix, power, less, against,
    ranked: order(standing.map((entry) => entry.metric), less).map((at) => standing[at]),
    out: order(out.map((entry) => entry.metric), less).map((at) => out[at]),
    covered: entries.filter((entry) => entry.parts.every((part) => part.report >= 0)).length,
    all: entries.length,
  };
}

/** For each configuration that passes the filters its newest report of every task of the mix. */
function grouped(board: Board, state: State, mix: Record<string, number>): { key: number; parts: Part[] }[] {
  const r = board.reports;
  const tasks = Object.keys(mix);
  const wanted = r.task.of.map((name) => tasks.indexOf(name));
  const keep = filter(board, state);
  const groups = new Map<number, Part[]>();
  const machines = new Map<string, number>();
  for (let row = 0; row < board.count; row += 1) {
    const at = r.task.at[row];
    const task = at === null ? -1 : wanted[at];
    if (task < 0 || !keep(row)) continue;
    const machine = [r.device.at[row] ?? -1, r.deviceName.at[row] ?? -1, r.host.at[row] ?? -1].join();
    if (!machines.has(machine)) machines.set(machine, machines.size);
    const key = (((machines.get(machine) ?? -1) * 1e3 + (r.backend.at[row] ?? -1)) * 1e3 + (r.precision.at[row] ?? -1)) * 1e3 + (r.passes.at[row] ?? -1);
    let parts = groups.get(key);
    if (!parts) groups.set(key, (parts = tasks.map((name) => ({ task: name, weight: mix[name], report: -1, pass: -1 }))));
    if (parts[task].report < 0) parts[task].report = row;
  }
  return [...groups].map(([key, parts]) => ({ key, parts }));
}

/** Which reports the filters leave. */
export function filter(board: Board, state: State): (row: number) => boolean {
  const r = board.reports;
  const need = TRUST.indexOf(state.trust);
  const words = state.search.toLowerCase().split(/\s+/).filter(Boolean);
  const trust = r.trust.of.map((name) => TRUST.indexOf(name) >= need);
  const searched = [r.deviceName, r.device, r.backend, r.precision, r.passes, r.task];
  const hits = words.map((word) => searched.map((column) => column.of.map((name) => name.toLowerCase().includes(word))));
  return (row) => {
    if (state.division && text(r.division, row) !== state.division) return false;
    if (state.precision && text(r.executed, row) !== state.precision && text(r.precision, row) !== state.precision) return false;
    if (need > 0 && !trust[r.trust.at[row] ?? -1]) return false;
    return hits.every((columns) => columns.some((hit, at) => hit[searched[at].at[row] ?? -1]));
  };
}

/** Whether only the metric is unknown: of such an entry the rest still counts. */
export function unvalued(entry: Entry): boolean {
  return entry.reasons.length > 0 && entry.reasons.every((reason) => UNVALUED.includes(reason.key));
}

const UNVALUED = ["why.noPrice", "why.noPower", "why.noReference", "why.notMeasured"];

function entryOf(board: Board, state: State, { key, parts }: { key: number; parts: Part[] }): Entry {
  const reasons: Reason[] = [];
  for (const part of parts) {
    if (part.report < 0) {
      reasons.push({ key: "why.uncovered", values: { task: part.task } });
      continue;
    }
    const found = [...failed(board, part.report), ...unmet(board, state, part.report)];
    if (text(board.reports.status, part.report) === "ok") {
      const chosen = choose(board, state, part.report);
      part.pass = chosen.pass;
      if (chosen.reason) found.push(chosen.reason);
    }
    if (parts.length > 1) for (const each of found) each.values.of = part.task;
    reasons.push(...found);
  }
  const first = parts.find((part) => part.report >= 0) as Part;
  const accuracies = parts.map((part) => (part.report < 0 ? null : board.reports.accuracyRatio[part.report]));
  return {
    key, report: first.report, device: text(board.reports.device, first.report), parts, reasons,
    rate: mixed(parts.map((part) => ({ weight: part.weight, rate: part.pass < 0 ? null : board.throughput(part.pass) }))),
    p50: worst(parts.map((part) => (part.pass < 0 ? null : board.latency(part.pass, "p50")))),
    p99: worst(parts.map((part) => (part.pass < 0 ? null : board.latency(part.pass, "p99")))),
    accuracy: accuracies.some((each) => each === null) ? null : Math.min(...(accuracies as number[])),
    power: powers(board, parts, text(board.reports.device, first.report)),
    price: null, hour: null, million: null, even: null, metric: null, rank: null,
  };
}

function worst(of: (Estimate | null)[]): Estimate | null {
  if (of.some((each) => each === null)) return null;
  return (of as Estimate[]).reduce((a, b) => (b.value > a.value ? b : a));
}

function failed(board: Board, row: number): Reason[] {
  const status = text(board.reports.status, row);
  return status === "ok" ? [] : [{ key: `why.${status}`, values: { text: text(board.reports.reasons, row) ?? "" } }];
}

/** Why a report does not meet the requirement. What was not measured does not meet it. */
export function unmet(board: Board, state: State, row: number): Reason[] {
  const r = board.reports;
  const found: Reason[] = [];
  if (state.require === "none" || text(r.status, row) !== "ok") return found;
  const least = (name: string, value: Num, limit: Num): void => {
    if (limit === null) return;
    if (value === null) found.push({ key: `why.${name}Unknown`, values: {} });
    else if (value < limit) found.push({ key: `why.${name}`, values: { value, limit } });
  };
  const most = (name: string, value: Num, limit: Num): void => {
    if (limit === null) return;
    if (value === null) found.push({ key: `why.${name}Unknown`, values: {} });
    else if (value > limit) found.push({ key: `why.${name}`, values: { value, limit } });
  };
  least("accuracy", r.accuracyRatio[row], state.ratio);
  if (state.require === "drift") {
    const agreement = r.agreement[row];
    least("sqnr", r.sqnrDb[row], state.sqnr);
    most("l2", r.relativeL2[row], state.l2);
    most("flip", agreement === null ? null : 1 - agreement, state.flip);
    if (state.nan) most("nan", r.nonFinite[row], 0);
  }
  return found;
}

/** The pass that answers: of the scenario, valid, within the bound; the fastest, or that of the least latency. */
function choose(board: Board, state: State, row: number): { pass: number; reason: Reason | null } {
  const p = board.passes;
  const all = board.passesOf(row);
  const asked = all.filter((at) => !state.scenario || text(p.scenario, at) === state.scenario);
  if (!asked.length) return { pass: -1, reason: { key: "why.noPass", values: { scenario: state.scenario } } };
  const latency = state.metric === "latency";
  const value = (at: number): number => (latency ? -(board.latency(at, "p50")?.value ?? Infinity) : (board.throughput(at)?.value ?? -Infinity));
  const best = (of: number[]): number => of.reduce((a, b) => (value(b) > value(a) ? b : a));
  const valid = asked.filter((at) => text(p.against, at) === null);
  if (!valid.length) return { pass: best(asked), reason: { key: "why.invalid", values: { text: text(p.against, best(asked)) ?? "" } } };
  if (state.bound === null) return { pass: best(valid), reason: null };
  const bound = state.bound / 1e3;
  const within = valid.filter((at) => (board.latency(at, "p99")?.value ?? Infinity) <= bound);
  if (within.length) return { pass: best(within), reason: null };
  const told = valid.map((at) => board.latency(at, "p99")?.value).filter((each) => each !== undefined);
  return { pass: best(valid), reason: told.length
    ? { key: "why.bound", values: { value: Math.min(...told) * 1e3, limit: state.bound } }
    : { key: "why.boundUnknown", values: {} } };
}

function powers(board: Board, parts: Part[], device: string | null): Partial<Record<PowerKind, number>> {
  const found: Partial<Record<PowerKind, number>> = {};
  for (const kind of ["wall", "board"] as const) {
    const told = parts.map((part) => (part.pass >= 0 && text(board.passes.wattsKind, part.pass) === kind ? board.passes.watts[part.pass] : null));
    if (told.every((each) => each !== null && each > 0)) found[kind] = Math.max(...(told as number[]));
  }
  const tdp = board.tdp(device);
  if (tdp !== null) found.tdp = tdp;
  return found;
}

/** One kind for all: as chosen, else the best that all have of whom any is known, else that which most have. */
function powerOf(entries: readonly Entry[], chosen: State["power"]): PowerKind | null {
  if (chosen) return chosen;
  const known = entries.map((entry) => entry.power).filter((each) => Object.keys(each).length);
  if (!known.length) return null;
  const most = (kind: PowerKind): number => known.filter((each) => each[kind] !== undefined).length;
  return commonPower(known) ?? LADDER.reduce((a, b) => (most(b) > most(a) ? b : a));
}

export function operationOf(state: State): { operation: Operation; capital: Capital; porting: Porting } {
  return {
    operation: { utilisation: state.use, kwh: state.kwh, pue: state.pue, support: state.support },
    capital: { rate: state.rate, years: state.years },
    porting: { cost: state.port, devices: state.fleet, years: state.years },
  };
}

function priced(board: Board, state: State, entry: Entry, kind: PowerKind | null): void {
  const { operation, capital, porting } = operationOf(state);
  const own = entry.device === null ? undefined : state.prices[entry.device];
  entry.price = own ?? board.price(entry.device, state.pay, state.currency, state.fx)?.amount ?? null;
  const watts = kind === null ? undefined : entry.power[kind];
  entry.hour = attempt(() => {
    if (entry.price === null) return null;
    if (state.pay === "rent") return perHour({ hour: entry.price }, operation, capital, porting);
    if (watts === undefined) return null;
    return perHour({ device: entry.price, kw: watts / 1e3, host: state.host, network: state.network }, operation, capital, porting);
  });
  const hour = entry.hour;
  entry.million = hour === null ? null : through(entry.rate, (rate) => perMillion(hour, rate));
}

function attempt(f: () => Num): Num {
  try {
    return f();
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function cheapestOf(entries: readonly Entry[]): Entry | null {
  const known = entries.filter((entry) => entry.million && !entry.reasons.length);
  return known.length ? known.reduce((a, b) => ((b.million as Estimate).value < (a.million as Estimate).value ? b : a)) : null;
}

function valued(state: State, entry: Entry, kind: PowerKind | null, against: Entry | null): void {
  const watts = kind === null ? undefined : entry.power[kind];
  const { operation, capital, porting } = operationOf(state);
  if (against?.million && (state.pay === "rent" || watts !== undefined)) {
    const other = against.million.value;
    entry.even = through(entry.rate, (rate) => attempt(() => (state.pay === "rent"
      ? breakEvenRent(other, rate, operation, porting)
      : breakEven(other, rate, (watts as number) / 1e3, operation, capital, state.host, state.network, porting))));
  }
  const price = entry.price;
  const values: Record<Metric, () => Estimate | null> = {
    throughput: () => entry.rate,
    latency: () => entry.p50,
    watt: () => (watts === undefined ? null : through(entry.rate, (rate) => rate / watts)),
    dollar: () => (price === null || !(price > 0) || state.pay === "rent" ? null : through(entry.rate, (rate) => rate / price)),
    million: () => entry.million,
    breakeven: () => entry.even,
    cards: () => through(entry.rate, (rate) => attempt(() => devicesNeeded(state.need, rate, state.headroom, state.spare))),
  };
  entry.metric = values[state.metric]();
  if (!entry.metric && !entry.reasons.length) entry.reasons.push(missing(state, entry, watts, price));
}

/** What the metric needs and is not known. */
function missing(state: State, entry: Entry, watts: number | undefined, price: Num): Reason {
  const priceMatters = state.metric === "dollar" || state.metric === "million";
  if (!(state.metric === "latency" ? entry.p50 : entry.rate)) return { key: "why.notMeasured", values: {} };
  if (priceMatters && price === null) return { key: "why.noPrice", values: {} };
  const powerMatters = state.metric === "watt" || (state.metric !== "dollar" && state.pay === "buy");
  if (watts === undefined && powerMatters) return { key: "why.noPower", values: {} };
  return { key: "why.noReference", values: {} };
}
