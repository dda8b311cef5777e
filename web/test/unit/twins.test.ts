// What is computed on both sides: the values of the Python twins, as tools/golden.py writes them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Board } from "../../src/board";
import { breakEven, breakEvenRent, devicesNeeded, perHour, perMillion } from "../../src/cost";
import type { Device, Index, Num, Price } from "../../src/data";
import { find } from "../../src/find";
import { DEFAULTS } from "../../src/state";

declare const WEB: string;

const read = (name: string): unknown => JSON.parse(readFileSync(join(process.env.ACCELBENCH_GOLDEN ?? join(WEB, "golden"), `${name}.json`), "utf8"));
const near = (got: number, expected: number): void => assert.ok(Math.abs(got - expected) <= 1e-9 * Math.max(1, Math.abs(expected)), `${got} is not ${expected}`);

test("costs are those of the Python twin", () => {
  const golden = read("cost") as { inputs: Record<string, number | string>; costs: Record<string, number>[]; devices: Record<string, number>[] };
  for (const [name, value] of Object.entries(golden.inputs)) assert.equal((DEFAULTS as unknown as Record<string, unknown>)[name], value, name);
  for (const each of golden.costs) {
    const operation = { utilisation: each.use, kwh: each.kwh, pue: 1.4, support: 250 };
    const capital = { rate: each.rate, years: each.years };
    const porting = { cost: each.port, devices: 8, years: each.years };
    const hour = perHour({ device: 9000, kw: 0.165, host: 1500, network: 300 }, operation, capital, porting);
    near(hour, each.hour);
    near(perHour({ hour: 2.5 }, operation, undefined, porting), each.rented);
    near(perMillion(hour, 1234.5), each.million);
    near(breakEven(each.million, 617.25, 0.3, operation, capital, 1500, 300, porting), each.even);
    near(breakEvenRent(each.million, 617.25, operation, porting), each.even_rent);
  }
  for (const each of golden.devices) assert.equal(devicesNeeded(each.rate, each.throughput, each.headroom, each.spare), each.devices);
});

interface Found {
  devices: Device[];
  answers: { like: string; limits: [Num, Num, string, string, Num]; weights: Record<string, number>; out: string[]; kept: [string, string, Num, number][] }[];
  offers: { own: ({ device: string } & Price)[]; rates: Index["meta"]["rates"]; answers: [string, "buy" | "rent", string, Num, boolean | null][] };
}

function board(devices: Device[], rates: Index["meta"]["rates"], prices: Index["meta"]["prices"]): Board {
  return new Board({ meta: { rates, prices }, reports: { id: [] }, passes: { report: [] }, devices, vendors: [], tasks: [] } as unknown as Index);
}

test("products beside any of the catalogue are those of the Python twin", () => {
  const { devices, answers } = read("find") as Found;
  const known = board(devices, [], []);
  const rentOf = (device: Device): number | null => known.price(device.id, "rent", "USD", null)?.amount ?? null;
  assert.ok(answers.length >= 5 * devices.length);
  for (const { like, limits: [tdp, memoryBytes, form, region, rent], weights, out, kept } of answers) {
    const found = find(devices.find((one) => one.id === like) as Device, devices, { tdp, memoryBytes, form, region, rent, currency: "USD", rentOf }, weights);
    assert.deepEqual(found.out.map((one) => one.device.id).sort(), out);
    assert.deepEqual(found.kept.map((one) => [one.device.id, one.relation, one.ratios.length]), kept.map(([id, relation, , count]) => [id, relation, count]));
    found.kept.forEach((one, at) => {
      if (one.distance === null || kept[at][2] === null) assert.equal(one.distance, kept[at][2]);
      else near(one.distance, kept[at][2]);
    });
  }
});

test("prices are those of the Python twin, private ones first", () => {
  const { devices, offers } = read("find") as Found;
  const known = board(devices, offers.rates, offers.own);
  for (const [device, kind, currency, amount, own] of offers.answers) {
    const found = known.price(device, kind, currency, null);
    assert.equal(found?.own ?? null, own, `${device} ${kind} ${currency}`);
    if (amount !== null) near(found?.amount ?? NaN, amount);
  }
});
