import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Board } from "../../src/board";
import type { Device, Index, Num, Texts } from "../../src/data";
import { judge } from "../../src/perform";
import { DEFAULTS, METRICS, type State } from "../../src/state";
import en from "../../src/words/en.json";
import zh from "../../src/words/zh.json";

interface Run { task: string; device: string; host?: string; backend: string; status: string; accuracyRatio: Num; relativeL2: Num; agreement: Num; throughput: Num; p50: Num; p99: Num; watts: Num; against: string | null }

const texts = (values: (string | null)[]): Texts => {
  const of = [...new Set(values.filter((each) => each !== null))];
  return { of, at: values.map((each) => (each === null ? null : of.indexOf(each))) };
};

/** A board of few facts; what a run does not tell is null. */
function board(runs: Run[], devices: Device[] = []): Board {
  const none = runs.map(() => null);
  const known: Record<string, unknown> = {
    id: runs.map((_, at) => at.toString(16).padStart(12, "0")), task: texts(runs.map((each) => each.task)), backend: texts(runs.map((each) => each.backend)), device: texts(runs.map((each) => each.device)),
    deviceName: texts(runs.map((each) => each.device)), status: texts(runs.map((each) => each.status)), trust: texts(runs.map(() => "measured")), accuracyRatio: runs.map((each) => each.accuracyRatio),
    relativeL2: runs.map((each) => each.relativeL2), agreement: runs.map((each) => each.agreement), created: runs.map(() => "2026-01-01T00:00:00Z"), precision: texts(runs.map(() => "fp32")), host: texts(runs.map((each) => each.host ?? null)),
  };
  const passes: Record<string, unknown> = {
    report: runs.map((_, at) => at), measurement: runs.map(() => 0), scenario: texts(runs.map(() => "offline")), against: texts(runs.map((each) => each.against)), throughput: runs.map((each) => each.throughput), p50: runs.map((each) => each.p50),
    p99: runs.map((each) => each.p99), watts: runs.map((each) => each.watts), wattsKind: texts(runs.map((each) => (each.watts === null ? null : "wall"))),
  };
  const filled = (columns: Record<string, unknown>): unknown => new Proxy(columns, { get: (of, name: string) => of[name] ?? { of: [], at: none, __proto__: none } });
  return new Board({ meta: { rates: [], prices: [] } as unknown as Index["meta"], reports: filled(known), passes: filled(passes), claims: [], tasks: [], devices, vendors: [], lints: [], recipes: [], rules: [], downloads: [] } as unknown as Index);
}

const number = fc.option(fc.double({ min: 1e-6, max: 1e6, noNaN: true }));
const run: fc.Arbitrary<Run> = fc.record({
  task: fc.constantFrom("a", "b"), device: fc.constantFrom("x", "y", "z"), backend: fc.constantFrom("p", "q", "r"), status: fc.constantFrom("ok", "ok", "ok", "failed"), accuracyRatio: fc.option(fc.double({ min: 0, max: 1.01, noNaN: true })),
  relativeL2: fc.option(fc.double({ min: 0, max: 1, noNaN: true })), agreement: fc.option(fc.double({ min: 0, max: 1, noNaN: true })), throughput: number, p50: number, p99: number, watts: number, against: fc.constantFrom(null, null, "drifted"),
});
const device = (id: string, price: number | null): Device => ({ id, vendor: "v", names: { en: id }, kind: "gpu", scope: "card", ...(price === null ? {} : { prices: [{ kind: "buy", currency: "USD", amount: price, basis: "third_party" }] }) });
const state: fc.Arbitrary<State> = fc.record({ metric: fc.constantFrom(...METRICS), require: fc.constantFrom("none", "accuracy", "drift"), mix: fc.constantFrom<Record<string, number>>({}, { a: 1 }, { a: 2, b: 1 }), bound: fc.option(fc.double({ min: 1, max: 1e8, noNaN: true })), l2: fc.option(fc.constant(0.1)), flip: fc.option(fc.constant(0.1)) })
  .map((patch) => ({ ...DEFAULTS, ...patch }) as State);

test("what was not measured is never ranked, never zero, and never meets a requirement", () => {
  fc.assert(fc.property(fc.array(run, { maxLength: 25 }), state, (runs, asked) => {
    const found = judge(board(runs, [device("x", 5000), device("y", null)]), asked);
    for (const entry of found.ranked) {
      assert.ok(entry.metric !== null && Number.isFinite(entry.metric.value) && entry.rank !== null);
      for (const part of entry.parts) {
        const of = runs[part.report];
        assert.equal(of.status, "ok");
        assert.equal(of.against, null);
        assert.notEqual(asked.metric === "latency" ? of.p50 : of.throughput, null);
        if (asked.require !== "none") assert.ok(of.accuracyRatio !== null && of.accuracyRatio >= asked.ratio);
        if (asked.require === "drift" && asked.l2 !== null) assert.ok(of.relativeL2 !== null && of.relativeL2 <= asked.l2);
        if (asked.bound !== null) assert.ok(of.p99 !== null && of.p99 * 1e3 <= asked.bound * (1 + 1e-12));
      }
      if (asked.metric === "watt") assert.ok(entry.parts.every((part) => runs[part.report].watts !== null));
      if (asked.metric === "million" || asked.metric === "dollar") assert.equal(entry.device, "x");
    }
    for (const entry of found.out) {
      assert.ok(entry.reasons.length > 0);
      assert.equal(entry.rank, null);
      assert.ok(entry.metric === null || entry.metric.value > 0 || asked.metric === "breakeven");
      for (const reason of entry.reasons) assert.ok(reason.key in en, reason.key);
    }
    assert.equal(found.ranked.length + found.out.length, found.all);
  }), { numRuns: 400 });
});

test("a cheaper device changes the order", () => {
  const base: Run = { task: "a", device: "x", backend: "p", status: "ok", accuracyRatio: 1, relativeL2: 0, agreement: 1, throughput: 200, p50: 0.1, p99: 0.2, watts: 100, against: null };
  const both = board([base, { ...base, device: "y", throughput: 100 }], [device("x", 9000), device("y", 900)]);
  assert.deepEqual(judge(both, DEFAULTS).ranked.map((each) => each.device), ["x", "y"]);
  assert.deepEqual(judge(both, { ...DEFAULTS, metric: "dollar" }).ranked.map((each) => each.device), ["y", "x"]);
  const even = judge(board([base, { ...base, device: "z" }], [device("x", 9000)]), { ...DEFAULTS, metric: "million" });
  assert.ok(Math.abs((even.out[0].even?.value ?? 0) - 9000) < 1e-6);
  const rented = judge(board([base, { ...base, device: "z", throughput: 50, watts: null }]), { ...DEFAULTS, metric: "breakeven", pay: "rent", prices: { x: 2 } });
  assert.deepEqual(rented.ranked.map((each) => [each.device, each.even?.value]), [["x", 2], ["z", 0.5]], "rent needs no power");
});

test("one stack on two machines is two configurations", () => {
  const base: Run = { task: "a", device: "cpu", host: "2 CPUs", backend: "p", status: "ok", accuracyRatio: 1, relativeL2: 0, agreement: 1, throughput: 200, p50: 0.1, p99: 0.2, watts: null, against: null };
  assert.equal(judge(board([base, { ...base, host: "1 CPUs" }, base]), DEFAULTS).all, 2);
});

test("both languages have the same words, with the same fields", () => {
  assert.deepEqual(Object.keys(zh), Object.keys(en));
  const fields = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort();
  for (const key of Object.keys(en) as (keyof typeof en)[]) {
    assert.deepEqual(fields(zh[key]), fields(en[key]), key);
    assert.ok(en[key] && zh[key], key);
  }
});
