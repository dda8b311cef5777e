/**
 * The contract between what makes a board (`accelbench.board`) and the page that shows it: all data files, field by field.
 *
 * A data file is a classic script with one call. `data/index.js` has the whole board, `data/reports/<id12>.js` what one
 * report has beyond its row, where id12 are the first twelve hex digits of the report's id:
 *
 *     accelbench.load("index", {...});
 *     accelbench.load("report/<id12>", {...});
 *     accelbench.load("report/<id12>", "H4sI...");
 *
 * where a text is the base64 of the gzip of the JSON: details come so, to a third of their size.
 * Absent is `null`, never 0 and never an empty text. No NaN and no infinity is written: what is NaN is counted. Seconds,
 * bytes, watts, ratios (0.76, not 76) and samples per second throughout; numbers may be rounded to six digits. Times are
 * UTC, ISO 8601. Words of the page are not in the data; words of reports (names, reasons) are shown as they are.
 */

/** Version of the contract. 1: first. */
export const SCHEMA = 1;

/** A number that may not have been measured. */
export type Num = number | null;
/** A column of numbers, one per row. */
export type Nums = Num[];
/** A column of texts: `of` are the different ones, `at` the position in `of` for each row, null where there is none. */
export interface Texts {
  of: string[];
  at: Nums;
}

export type Trust = "claimed" | "measured" | "verified" | "reproduced";
export type Division = "same" | "quantised" | "pruned" | "retrained";
export type PowerKind = "wall" | "board" | "tdp";

export interface Index {
  meta: Meta;
  reports: Reports;
  passes: Passes;
  claims: Claim[];
  tasks: Task[];
  /** The catalogue whole, in the order of ids: the records of `accelbench.model.device` as JSON, what is None or empty left out. */
  devices: Device[];
  vendors: Vendor[];
  lints: Lint[];
  /** Recipes that are known; may be empty. */
  recipes: Recipe[];
  /** Rules of submission (`accelbench.gate`); may be empty. */
  rules: Rule[];
  /** Files beside the page that hold the same data; may be empty. */
  downloads: Download[];
}

export interface Meta {
  schema: number;
  /** The version that built the board. */
  accelbench: string;
  /** When it was built; the newest report's time, so that the same stores give the same board. */
  created: string | null;
  /** The board's name, as its owner gave it. */
  title: string | null;
  /** Stores that it was built from: their last names, and how many reports of each. */
  stores: { name: string; reports: number }[];
  /** Folders of stores that could not be read, with why. */
  problems: { folder: string; problem: string }[];
  /** Rates of currencies, dated: one `from` is `rate` of `to`. */
  rates: { from: string; to: string; rate: number; date: string; source: string }[];
  /** All that the cost model starts from, as the board's owner says (`prices.toml`), else as usual. Keys as in `state.ts`. */
  cost: Record<string, number | string> | null;
  /** Private prices (`prices.toml`), before those of the catalogue; marked as such, and never in a link. */
  prices: ({ device: string } & Price)[];
  /** True where `board serve` answers: there is an API and a live reload. */
  served: boolean;
}

/** One row per report, column by column; all columns have the same length. Newest first. */
export interface Reports {
  /** First twelve hex digits of the id. */
  id: string[];
  task: Texts;
  version: Nums;
  tier: Texts;
  domain: Texts;
  /** Kind of the weights' source: shipped, local, hub, package, seeded, model. */
  weights: Texts;
  backend: Texts;
  /** Version of the vendor's stack: that of its main package. */
  stack: Texts;
  /** Id in the catalogue; null for a device that is not in it. */
  device: Texts;
  /** As its driver calls it; as the backend calls it where the driver does not. */
  deviceName: Texts;
  /** The host: processor and number of logical CPUs, in words. */
  host: Texts;
  /** Asked for. */
  precision: Texts;
  /** That the bulk of the arithmetic ran in. */
  executed: Texts;
  /** What was done to the model before, joined by +; null for nothing. */
  passes: Texts;
  /** quick, standard, submission. */
  effort: Texts;
  /** ok, failed, unsupported. */
  status: Texts;
  /** within, out, unknown: against the task's own tolerance. */
  verdict: Texts;
  /** Why not ok, or why out: the report's reasons joined by "; ". */
  reasons: Texts;
  created: string[];
  trust: Texts;
  /** How many reproductions in the stores agree with it. */
  reproducedBy: Nums;
  signedBy: Nums;
  /** 1 where the backend's author never tested it on such hardware. */
  untested: Nums;
  division: Texts;
  /** Name of the metric: top1, auc … */
  metric: Texts;
  accuracy: Nums;
  /** Standard error of `accuracy`. */
  accuracyError: Nums;
  /** accuracy ÷ the reference's accuracy on the same samples. */
  accuracyRatio: Nums;
  /** Share of samples with the reference's decision; the flip rate is 1 − agreement. */
  agreement: Nums;
  /** Of the worst output. */
  relativeL2: Nums;
  sqnrDb: Nums;
  /** NaN and infinite values in the outputs where the reference has none; null where no drift was measured. */
  nonFinite: Nums;
  compileS: Nums;
  sizeBytes: Nums;
  /** Share of zeros among the weights. */
  sparsity: Nums;
  /** counted (in the file that ran) or claimed (by the stack). */
  sparsityTrust: Texts;
  /** Share of the graph's FLOPs that ran on the device. */
  coverage: Nums;
  /** How many operators fell back; null where the stack does not tell. */
  fallbacks: Nums;
}

/** One row per timed pass, column by column. Those of one report stand together, in the report's order. */
export interface Passes {
  /** Row in `reports`. */
  report: number[];
  /** Position in the report. */
  measurement: number[];
  /** single_stream, multi_stream, server, offline, closed_loop. */
  scenario: Texts;
  batch: Nums;
  concurrency: Nums;
  instances: Nums;
  /** Queries per second that arrived. */
  rate: Nums;
  /** The bound that was to hold, and of what. */
  boundS: Nums;
  boundOf: Texts;
  queries: Nums;
  /** Why the pass is not valid, joined by "; "; null for a valid one. */
  against: Texts;
  /** Latency quantiles of a query in seconds with their 95 % intervals. */
  p50: Nums;
  p50Low: Nums;
  p50High: Nums;
  p90: Nums;
  p90Low: Nums;
  p90High: Nums;
  p99: Nums;
  p99Low: Nums;
  p99High: Nums;
  /** Samples per second with its 95 % interval. */
  throughput: Nums;
  throughputLow: Nums;
  throughputHigh: Nums;
  /** Mean power in this pass as measured, and by what: wall or board. Rated power is in the catalogue, not here. */
  watts: Nums;
  wattsKind: Texts;
}

export interface Task {
  id: string;
  version: number;
  tier: string;
  domain: string;
  title: string;
  /** Of one sample. */
  flops: Num;
  parameters: Num;
  /** Of weights and activations of one sample, as far as known: for FLOPs per byte. */
  bytes: Num;
  /** Share of the graph's nodes by operator (sum 1); null where unknown. */
  operators: Record<string, number> | null;
  metric: string | null;
}

/** An imported figure's record (`accelbench.model.claim`), always of trust "claimed". */
export interface Claim {
  id: string;
  kind: "result" | "specification" | "system";
  source: string;
  sourceName: string;
  url: string | null;
  vendor: string | null;
  device: string | null;
  deviceId: string | null;
  task: string | null;
  taskId: string | null;
  software: string | null;
  date: string | null;
  caveats: string[];
  figures: ClaimFigure[];
}

export interface ClaimFigure {
  name: string;
  value: number;
  unit: string | null;
  batch?: Num;
  scenario?: string | null;
  precision?: string | null;
  statistic?: string | null;
  caveat?: string | null;
}

export interface Lint {
  level: "error" | "warning";
  rule: string;
  device: string;
  where: string;
  text: string;
}

/** The same in both languages. */
export interface Words {
  en: string;
  zh: string;
}

/** What was learned, as `accelbench.knowledge` tells it. */
export interface Recipe {
  id: string;
  date: string;
  /** Backends by their names; `any` for all. */
  stacks: string[];
  title: Words;
  /** The class of models. */
  models: Words;
  symptom: Words;
  why: Words;
  change: Words;
  /** What the change adds to `accelbench run`. */
  arguments: string[];
  /** Conditions on facts of a report, as formulas. */
  when: string[];
  /** Figures before and after, one line each: what gets better, and what gets worse. */
  effect: { en: string[]; zh: string[] };
  cost: { en: string[]; zh: string[] };
  /** id12 of reports that show it. */
  evidence: string[];
}

export interface Rule {
  id: string;
  level: string;
  text: string;
  /** The same in Chinese. */
  zh?: string;
}

export interface Download {
  /** Relative to index.html. */
  href: string;
  /** json, csv, parquet. */
  format: string;
  /** reports, passes, figures, claims, devices. */
  what: string;
  rows: Num;
  bytes: Num;
}

// ---- the catalogue, as `accelbench.model.device` ----

export type Basis = "vendor_claimed" | "measured" | "derived" | "third_party";

export interface Source {
  title: string;
  url?: string;
  date?: string;
  cites?: string[];
}

export interface Figure {
  value: number;
  unit: string;
  basis: Basis;
  source?: string;
  date?: string;
  scope?: string;
  preferred?: string;
  derivation?: string;
  note?: string;
}

export interface Fact {
  text: string;
  basis: Basis;
  source?: string;
  date?: string;
  preferred?: string;
  note?: string;
}

export interface Peak {
  dtype: string;
  sparsity?: string;
  figures?: Figure[];
}

export interface Price {
  kind: "buy" | "rent";
  currency: string;
  amount: number;
  basis: Basis;
  source?: string;
  date?: string;
  amount_to?: number;
  devices?: number;
  term?: string;
  region?: string;
  note?: string;
}

export interface Device {
  id: string;
  vendor: string;
  names: { en: string; zh?: string };
  kind: "gpu" | "asic" | "cpu";
  scope: "die" | "card" | "module" | "instance";
  sources?: Record<string, Source>;
  purpose?: string[];
  aliases?: string[];
  engines?: { name: "scalar" | "vector" | "tensor"; dtypes?: Fact[]; peaks?: Peak[] }[];
  memory?: { level: "main" | "l1" | "l2" | "l3" | "host"; technology?: Fact[]; capacity?: Figure[]; bandwidth?: Figure[] }[];
  elements?: { architecture?: Fact[]; parallelism?: Fact[]; bandwidth?: Figure[] };
  links?: {
    name?: Fact[];
    ports?: Fact[];
    down?: Figure[];
    up?: Figure[];
    bandwidth?: Figure[];
    rdma?: Fact[];
    detail?: Fact[];
  }[];
  power?: { kind: "tdp" | "typical" | "measured_max" | "system" | "all_in"; figures: Figure[] }[];
  process?: Figure[];
  form_factor?: Fact[];
  interface?: Fact[];
  /** Where it can be had, as sellers name places. */
  regions?: Fact[];
  prices?: Price[];
  note?: string;
}

export interface Vendor {
  id: string;
  names: { en: string; zh?: string };
  sources?: Record<string, Source>;
  website?: string;
  facts?: { name: string; text: string; basis: Basis; source?: string; date?: string; note?: string }[];
}

// ---- one report, on demand ----

export interface Detail {
  /** The whole id. */
  id: string;
  accelbench: string;
  command: string[];
  reasons: string[];
  task: { id: string; version: number; hash: string; flops: Num };
  weights: { kind: string; sha256: string; parameters: number; detail: string } | null;
  /** max_relative_l2, min_sqnr_db, min_accuracy, min_agreement, as far as given. */
  tolerance: Record<string, number>;
  /** Options of the target, as asked for. */
  options: Record<string, string>;
  builds: Build[];
  /** Files in their chain of custody, before and after the stack. */
  artifacts: Artifact[];
  quality: Quality | null;
  measurements: Timed[];
  /** Steps of the host's: median seconds per item. */
  stages: { name: string; items: number; p50S: Num }[];
  /** The name of a field of the report's `Host` and its text, in the order to show. */
  host: [string, string][];
  environment: { kind: string; python: string; packages: Record<string, string>; probes: Record<string, string>; lockSha256: string | null; adapterSha256: string } | null;
  reproductions: { id: string; created: string; reproduced: number; notReproduced: number; ambiguous: number; notComparable: number; outputs: string }[];
  /** Fingerprints of keys that signed it. */
  signatures: string[];
  /** Ids of recipes that apply. */
  recipes: string[];
  /** The stored report: `href` of a file beside the page, or `gzip`, the base64 of its gzip; both null where it is left out. */
  raw: { href: string | null; gzip: string | null };
}

export interface Build {
  batch: number;
  purpose: string | null;
  compileS: Num;
  executed: string | null;
  format: string | null;
  coverageNodes: Num;
  coverageFlops: Num;
  fallbacks: string[];
  settings: Record<string, string>;
  /** What the stack's tuner did, in words; null where it was not asked. */
  tuning: string | null;
}

export interface Artifact {
  name: string;
  sha256: string;
  format: string;
  sizeBytes: number;
  maker: string;
  precision: string | null;
  sparsity: Num;
}

export interface Score {
  name: string;
  value: number;
  error: Num;
  samples: number;
}

export interface Quality {
  samples: number;
  accuracy: Score | null;
  reference: Score | null;
  agreement: Score | null;
  drift: Drift[];
  unready: number;
  constant: boolean;
}

export interface Drift {
  output: string;
  count: number;
  finite: number;
  relativeL2: Num;
  sqnrDb: Num;
  cosine: Num;
  maxAbs: Num;
  maxUlp: Num;
  nanReference: number;
  nanOutput: number;
  infReference: number;
  infOutput: number;
  bitEqual: number;
  /** Of output − reference in equal bins from `low` to `high`; null without any error. Stored bins merged to 64 at most. */
  error: { low: number; high: number; counts: number[] } | null;
  /** Reference and output in the same bins, equal ones from `low` to `high`; 64 at most. */
  values: { low: number; high: number; reference: number[]; output: number[] } | null;
  mismatch: string | null;
}

export interface Timed {
  scenario: string;
  batch: number;
  concurrency: Num;
  queries: number;
  stopReason: string;
  warmupQueries: number;
  against: string[];
  problem: string | null;
  /** Quantiles, `q` from 0 to 1, with 95 % intervals where the samples carry them. */
  quantiles: { q: number; s: number; lowS: Num; highS: Num }[];
  /** Latencies of queries in bins of equal ratio from `lowS` to `highS` (about 40); null without any. */
  histogram: { lowS: number; highS: number; counts: number[] } | null;
  /** Time line in about 60 equal steps from 0 to `endS`: median and maximum latency of the queries that ended in each step;
   * null where none did. Numbers here and in telemetry to three digits: 200 reports are to fit into 2 MB in all. */
  line: { endS: number; medianS: Nums; maxS: Nums } | null;
  /** What the host told meanwhile: means in about 60 equal steps from 0 to `endS`. */
  telemetry: { name: string; unit: string; endS: number; values: Nums }[];
}
