/** Numbers with intervals, of which some are unknown. Pure; unknown is null, and stays so. */

import type { Num } from "./data";

/** A value with its 95 % interval; both ends null where it has none. */
export interface Estimate { value: number; low: Num; high: Num }

/** The estimate of a row of three columns; null where there is no value. */
export function estimate(value: Num | undefined, low: Num | undefined, high: Num | undefined): Estimate | null {
  if (value === null || value === undefined || !Number.isFinite(value)) return null;
  const known = low !== null && low !== undefined && high !== null && high !== undefined;
  return { value, low: known ? low : null, high: known ? high : null };
}

/** A monotonic function of an estimate, ends in order; null where the function is. */
export function through(from: Estimate | null, f: (x: number) => number | null): Estimate | null {
  if (!from) return null;
  const value = f(from.value);
  if (value === null || !Number.isFinite(value)) return null;
  const a = from.low === null ? null : f(from.low);
  const b = from.high === null ? null : f(from.high);
  if (a === null || b === null || !Number.isFinite(a) || !Number.isFinite(b)) return { value, low: null, high: null };
  return { value, low: Math.min(a, b), high: Math.max(a, b) };
}

/**
 * Samples per second of a mix: the weighted harmonic mean, since the times of samples add up. Null as soon as one part
 * with a weight is unknown: a mix is never summed over what happens to be known. Without any weight: null.
 */
export function mixed(parts: readonly { weight: number; rate: Estimate | null }[]): Estimate | null {
  const used = parts.filter((part) => part.weight > 0);
  const total = used.reduce((sum, part) => sum + part.weight, 0);
  if (!used.length || used.some((part) => !part.rate || !(part.rate.value > 0))) return null;
  const over = (pick: (rate: Estimate) => Num): Num => {
    const rates = used.map((part) => pick(part.rate as Estimate));
    if (rates.some((rate) => rate === null || !(rate > 0))) return null;
    return total / used.reduce((sum, part, at) => sum + part.weight / (rates[at] as number), 0);
  };
  return estimate(over((rate) => rate.value), over((rate) => rate.low), over((rate) => rate.high));
}

/** Positions of the points that no other beats in both: `x` is better when small, `y` when large. */
export function front(points: readonly { x: Num; y: Num }[]): number[] {
  const known = points.flatMap(({ x, y }, at) => (x === null || y === null ? [] : [{ x, y, at }]));
  known.sort((a, b) => a.x - b.x || b.y - a.y);
  let best = -Infinity;
  return known.filter(({ y }) => y > best && ((best = y), true)).map(({ at }) => at);
}

/** The middle of what is known; null of nothing. */
export function median(values: readonly Num[]): Num {
  const known = values.filter((value): value is number => value !== null).sort((a, b) => a - b);
  if (!known.length) return null;
  const middle = known.length >> 1;
  return known.length % 2 ? known[middle] : (known[middle - 1] + known[middle]) / 2;
}
