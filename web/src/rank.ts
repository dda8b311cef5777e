/** Ranks of estimates: what cannot be told apart shares one. Pure. */

import type { Estimate } from "./stats";

/** Two values of which one has no interval are told apart when they differ by more than this. */
export const MARGIN = 0.05;

/** Whether `a` is better than `b` beyond doubt. */
export function surely(a: Estimate, b: Estimate, less: boolean): boolean {
  const [up, down] = less ? [b, a] : [a, b];
  const low = up.low ?? up.value - MARGIN * Math.abs(up.value);
  const high = down.high ?? down.value + MARGIN * Math.abs(down.value);
  return low > high;
}

/**
 * The rank of each: one more than the number of those that are better beyond doubt. Null has no rank. Ambiguous
 * neighbours share the rank; `less`: small is better.
 */
export function ranks(estimates: readonly (Estimate | null)[], less: boolean): (number | null)[] {
  const known = estimates.filter((each): each is Estimate => each !== null);
  const bounds = known.map((each) => edge(each, less, true)).sort((a, b) => a - b);
  return estimates.map((each) => {
    if (!each) return null;
    const own = edge(each, less, false);
    const better = less ? below(bounds, own) : bounds.length - notAbove(bounds, own);
    return 1 + better;
  });
}

/** The end that decides: of the better one its worst end, of the worse one its best end. */
function edge(each: Estimate, less: boolean, asBetter: boolean): number {
  const spread = MARGIN * Math.abs(each.value);
  return less === asBetter ? (each.high ?? each.value + spread) : (each.low ?? each.value - spread);
}

function below(sorted: readonly number[], limit: number): number {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

function notAbove(sorted: readonly number[], limit: number): number {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Positions from best to worst by value, the unknown last, in their own order. */
export function order(estimates: readonly (Estimate | null)[], less: boolean): number[] {
  return estimates
    .map((each, at) => ({ each, at }))
    .sort((a, b) => {
      if (!a.each || !b.each) return Number(!a.each) - Number(!b.each) || a.at - b.at;
      return (less ? a.each.value - b.each.value : b.each.value - a.each.value) || a.at - b.at;
    })
    .map(({ at }) => at);
}
