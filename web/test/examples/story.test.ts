/** What the reports of examples/ tell, judged by the page's own functions. ACCELBENCH_BOARD: the board made of them. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import { Board, text } from "../../src/board";
import type { Index } from "../../src/data";
import { judge, type Entry } from "../../src/perform";
import { parse } from "../../src/state";

const PRUNED = "prune:0.3+int8-static";
const TWO = "intel-xeon-virtual", ONE = "intel-xeon-virtual-1";

let index: Index | undefined;
runInNewContext(readFileSync(join(process.env.ACCELBENCH_BOARD ?? "", "data", "index.js"), "utf8"), { accelbench: { load: (_: string, data: Index) => { index = data; } } });
const board = new Board(index as Index);

const asked = (more: string): ReturnType<typeof judge> => judge(board, parse(`v=1&view=perf&mix=digits-resnet:1&scenario=offline&${more}`));
const pruned = (entry: Entry): boolean => text(board.reports.passes, entry.report) === PRUNED;
/** The devices in the order of their best configurations. */
const order = (entries: Entry[]): (string | null)[] => [...new Set(entries.map((each) => each.device))];

test("pruned and int8 is first where accuracy is required", () => {
  const found = asked("require=accuracy").ranked[0];
  assert.ok(pruned(found));
  assert.equal(found.rank, 1);
  assert.ok((found.accuracy ?? 0) >= 0.99);
});

test("it is ruled out, with the reason, where drift is limited too", () => {
  const judged = asked("require=drift&l2=0.05");
  assert.equal(judged.ranked.find(pruned), undefined);
  assert.ok(judged.ranked.length >= 2);
  const [reason] = judged.out.find(pruned)?.reasons ?? [];
  assert.equal(reason.key, "why.l2");
  assert.equal(reason.values.limit, 0.05);
  assert.ok(Number(reason.values.value) > 0.1);
});

test("prices of two devices change their order", () => {
  assert.deepEqual(order(asked("require=drift&l2=0.05&metric=throughput").ranked), [TWO, ONE]);
  assert.deepEqual(order(asked(`require=drift&l2=0.05&metric=million&pay=rent&prices=${TWO}:0.1,${ONE}:0.05`).ranked), [ONE, TWO]);
});

test("where no price is known there is one at which it breaks even", () => {
  const judged = asked(`require=drift&l2=0.05&metric=million&pay=rent&prices=${TWO}:0.1`);
  assert.equal(judged.against?.device, TWO);
  const out = judged.out.find((each) => each.device === ONE && each.reasons.every((reason) => reason.key === "why.noPrice"));
  assert.ok((out?.even?.value ?? 0) > 0.05 && (out?.even?.value ?? 0) < 0.1);
});
