/** What the reader chose, and its form in the URL's hash: `#v=1&view=perf&task=resnet50:2,bert-base:1`. Pure. */

export const VERSION = 1;
export const VIEWS = ["perf", "hardware", "find", "report", "methods", "memo"] as const;
export const METRICS = ["throughput", "latency", "watt", "dollar", "million", "breakeven", "cards"] as const;
export const HARDWARE_METRICS = ["fp16", "int8", "fp8", "memory", "bandwidth", "tdp"] as const;
export type View = (typeof VIEWS)[number];
export type Metric = (typeof METRICS)[number];
export type HardwareMetric = (typeof HARDWARE_METRICS)[number];

/** Every number is null where nothing was chosen; lists are empty then. */
export interface State {
  view: View;
  lang: "en" | "zh";
  // performance
  mix: Record<string, number>;
  domain: string;
  scenario: string;
  bound: number | null;
  require: "none" | "accuracy" | "drift";
  ratio: number;
  sqnr: number | null;
  l2: number | null;
  flip: number | null;
  nan: boolean;
  metric: Metric;
  division: string;
  precision: string;
  trust: string;
  search: string;
  // cost
  currency: "USD" | "CNY";
  fx: number | null;
  rate: number;
  years: number;
  use: number;
  kwh: number;
  pue: number;
  support: number;
  host: number;
  network: number;
  port: number;
  fleet: number;
  pay: "buy" | "rent";
  power: "" | "wall" | "board" | "tdp";
  prices: Record<string, number>;
  share: boolean;
  need: number;
  headroom: number;
  spare: number;
  // hardware
  group: string;
  kind: string;
  vendor: string;
  sort: string;
  product: string;
  // find
  like: string;
  tdp: number | null;
  minmem: number | null;
  form: string;
  region: string;
  maxrent: number | null;
  weights: Record<string, number>;
  side: string[];
  mine: string[];
  // report
  report: string;
  page: number;
}

export const DEFAULTS: State = {
  view: "perf", lang: "en", mix: {}, domain: "", scenario: "", bound: null, require: "none", ratio: 0.99, sqnr: null, l2: null,
  flip: null, nan: false, metric: "throughput", division: "", precision: "", trust: "", search: "", currency: "USD", fx: null,
  rate: 0.08, years: 4, use: 0.6, kwh: 0.1, pue: 1.4, support: 0, host: 0, network: 0, port: 0, fleet: 1, pay: "buy", power: "",
  prices: {}, share: false, need: 1000, headroom: 0.2, spare: 1, group: "compute", kind: "", vendor: "", sort: "", product: "",
  like: "", tdp: null, minmem: null, form: "", region: "", maxrent: null, weights: {}, side: [], mine: [], report: "", page: 0,
};

const CHOICES: Partial<Record<keyof State, readonly string[]>> = {
  view: VIEWS, lang: ["en", "zh"], require: ["none", "accuracy", "drift"], metric: METRICS, currency: ["USD", "CNY"], pay: ["buy", "rent"], power: ["", "wall", "board", "tdp"],
};
const NULLABLE: readonly (keyof State)[] = ["bound", "sqnr", "l2", "flip", "fx", "tdp", "minmem", "maxrent"];

/** The hash of a state, without `#`: what is as it is by default is left out, and private prices unless `share`. */
export function format(state: State): string {
  const parts = [`v=${VERSION}`];
  for (const key of Object.keys(DEFAULTS) as (keyof State)[]) {
    if (key === "prices" && !state.share) continue;
    const text = written(state[key]);
    if (text !== written(DEFAULTS[key]) || key === "view") parts.push(`${key}=${text}`);
  }
  return parts.join("&");
}

/** The state that a hash tells. What it does not tell, and what cannot be read, is as it is by default. */
export function parse(hash: string): State {
  const state: State = structuredClone(DEFAULTS);
  for (const part of hash.replace(/^#/, "").split("&")) {
    const at = part.indexOf("=");
    const key = part.slice(0, at) as keyof State;
    if (at > 0 && Object.hasOwn(DEFAULTS, key)) read(state, key, part.slice(at + 1));
  }
  return state;
}

function written(value: State[keyof State]): string {
  if (value === null) return "";
  if (typeof value === "boolean") return value ? "1" : "0";
  if (Array.isArray(value)) return value.map(encode).join(",");
  if (typeof value === "object") return Object.entries(value).map(([name, weight]) => `${encode(name)}:${weight}`).join(",");
  return typeof value === "number" ? String(value) : encode(value);
}

function encode(text: string): string {
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, "")).replace(/%2F/g, "/").replace(/%20/g, "+");
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replace(/\+/g, "%20"));
  } catch {
    return "";
  }
}

function read(state: State, key: keyof State, text: string): void {
  const fallback = DEFAULTS[key];
  const fields = state as unknown as Record<string, unknown>;
  if (NULLABLE.includes(key) || typeof fallback === "number") {
    const value = text.trim() === "" ? NaN : Number(text);
    if (Number.isFinite(value)) fields[key] = value;
  } else if (typeof fallback === "boolean") fields[key] = text === "1";
  else if (Array.isArray(fallback)) fields[key] = text === "" ? [] : text.split(",").map(decode).filter(Boolean);
  else if (typeof fallback === "object") fields[key] = pairs(text);
  else if (!CHOICES[key] || CHOICES[key].includes(text)) fields[key] = decode(text);
}

function pairs(text: string): Record<string, number> {
  const found: Record<string, number> = {};
  for (const part of text.split(",")) {
    const at = part.lastIndexOf(":");
    const value = Number(part.slice(at + 1));
    if (at > 0 && Number.isFinite(value) && value >= 0) found[decode(part.slice(0, at))] = value;
  }
  return found;
}
