import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { commonPower, devicesNeeded, perHour, perMillion, recovery } from "../../src/cost";
import { order, ranks, surely } from "../../src/rank";
import { standIn, apart } from "../../src/standin";
import { DEFAULTS, format, METRICS, parse, VIEWS, type State } from "../../src/state";
import { front, median, mixed, through, type Estimate } from "../../src/stats";

const value = fc.double({ min: 1e-6, max: 1e9, noNaN: true });
const estimate: fc.Arbitrary<Estimate> = fc.tuple(value, fc.option(fc.tuple(fc.double({ min: 0, max: 0.5, noNaN: true }), fc.double({ min: 0, max: 0.5, noNaN: true }))))
  .map(([of, ends]) => ({ value: of, low: ends && of * (1 - ends[0]), high: ends && of * (1 + ends[1]) }));
const maybe = fc.option(estimate);

test("what cannot be is refused", () => {
  const operation = { utilisation: 0.5, kwh: 0.1, pue: 1.2, support: 0 };
  assert.throws(() => perHour({ hour: 1 }, { ...operation, utilisation: 0 }), RangeError);
  assert.throws(() => perHour({ device: 1, kw: 1, host: 0, network: 0 }, { ...operation, pue: 0.9 }, { rate: 0, years: 1 }), RangeError);
  assert.throws(() => perMillion(1, 0), RangeError);
  assert.throws(() => recovery({ rate: 0.1, years: 0 }), RangeError);
  assert.throws(() => devicesNeeded(1, 1, 1), RangeError);
});

test("kinds of power are not mixed", () => {
  assert.equal(commonPower([{ wall: 1, tdp: 2 }, { board: 1, tdp: 2 }]), "tdp");
  assert.equal(commonPower([{ wall: 1 }, { board: 1 }]), null);
});

test("a state comes back from its hash", () => {
  const weights = fc.dictionary(fc.string({ minLength: 1 }).filter((name) => name !== "__proto__"), fc.double({ min: 0, max: 1e6, noNaN: true, noDefaultInfinity: true }).map((x) => x + 0)).map((of) => ({ ...of }));
  const words = fc.string();
  const some = fc.record<Partial<State>>({
    view: fc.constantFrom(...VIEWS), lang: fc.constantFrom("en", "zh"), mix: weights, search: words, scenario: words, bound: fc.option(value), ratio: value, nan: fc.boolean(), metric: fc.constantFrom(...METRICS),
    prices: weights, share: fc.constant(true), side: fc.array(fc.string({ minLength: 1 })), l2: fc.option(value), page: fc.nat(), require: fc.constantFrom("none", "accuracy", "drift"),
  });
  fc.assert(fc.property(some, (patch) => {
    const state = { ...DEFAULTS, ...patch };
    assert.deepEqual(parse(`#${format(state)}`), state);
  }));
});

test("any text is some state, and private prices stay at home", () => {
  fc.assert(fc.property(fc.string(), (hash) => void format(parse(hash))));
  assert.ok(!format({ ...DEFAULTS, prices: { x: 5 } }).includes("prices"));
  assert.deepEqual(parse("v=1&view=nowhere&ratio=x&constructor=1"), DEFAULTS);
});

test("the unknown has no rank, the best has the first, and nobody is ranked behind one that it surely beats", () => {
  fc.assert(fc.property(fc.array(maybe, { maxLength: 30 }), fc.boolean(), (all, less) => {
    const found = ranks(all, less);
    all.forEach((each, at) => assert.equal(found[at] === null, each === null));
    const known = found.filter((rank) => rank !== null);
    if (known.length) assert.equal(Math.min(...known), 1);
    all.forEach((a, i) => all.forEach((b, j) => { if (a && b && surely(a, b, less)) assert.ok((found[i] as number) < (found[j] as number)); }));
    all.forEach((a, i) => { if (a) assert.equal(found[i], 1 + all.filter((b) => b && surely(b, a, less)).length); });
    const sorted = order(all, less).map((at) => all[at]);
    assert.deepEqual(sorted.slice(known.length), Array(all.length - known.length).fill(null));
  }));
});

test("overlapping intervals share a rank", () => {
  assert.deepEqual(ranks([{ value: 10, low: 9, high: 11 }, { value: 10.5, low: 9.5, high: 11.5 }, { value: 5, low: 4, high: 6 }], false), [1, 1, 3]);
});

test("a mix is unknown as soon as a part is, and never zero", () => {
  const parts = fc.array(fc.record({ weight: fc.double({ min: 0.01, max: 100, noNaN: true }), rate: maybe }), { minLength: 1, maxLength: 6 });
  fc.assert(fc.property(parts, (all) => {
    const found = mixed(all);
    assert.equal(found === null, all.some((part) => part.rate === null));
    if (!found) return;
    const rates = all.map((part) => (part.rate as Estimate).value);
    assert.ok(found.value > 0 && found.value >= Math.min(...rates) * (1 - 1e-9) && found.value <= Math.max(...rates) * (1 + 1e-9));
  }));
  assert.equal(mixed([]), null);
});

test("nothing comes out of nothing", () => {
  assert.equal(through(null, (x) => x), null);
  assert.equal(median([null, null]), null);
  assert.equal(median([1, null, 3]), 2);
  assert.deepEqual(through({ value: 2, low: 1, high: 4 }, (x) => 1 / x), { value: 0.5, low: 0.25, high: 1 });
});

test("the front holds all that nobody beats, and nothing unknown", () => {
  const points = fc.array(fc.record({ x: fc.option(value), y: fc.option(value) }), { maxLength: 30 });
  fc.assert(fc.property(points, (all) => {
    const found = new Set(front(all));
    all.forEach((point, at) => {
      const beaten = point.x === null || point.y === null || all.some((other) => other.x !== null && other.y !== null && other.x <= (point.x as number) && other.y >= (point.y as number) && (other.x < (point.x as number) || other.y > (point.y as number)));
      if (found.has(at)) assert.ok(!beaten);
      else assert.ok(beaten || all.some((other, by) => found.has(by) && other.x === point.x && other.y === point.y));
    });
  }));
});

test("a stand-in is the nearest task, never the task itself", () => {
  const task = (id: string, domain: string, flops: number | null): Parameters<typeof apart>[0] => ({ id, version: 1, tier: "regular", domain, title: id, flops, parameters: null, bytes: 10, operators: { Conv: 1 }, metric: null });
  assert.equal(standIn(task("a", "vision", 100), [task("a", "vision", 100), task("b", "language", 100), task("c", "vision", 200)])?.id, "c");
  assert.equal(standIn(task("a", "vision", 100), []), null);
});
