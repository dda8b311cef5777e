/** The task that is nearest to one that nobody reported: by domain, mix of operators, and FLOPs per byte. Pure. */

import type { Task } from "./data";

/**
 * How far two tasks are apart: 1 for another domain, plus half of the sum of differences between the shares of operators
 * (0 to 1), plus the logarithm of the ratio of FLOPs per byte over that of ten. What is not known of both counts as 1.
 */
export function apart(a: Task, b: Task): number {
  const names = new Set([...Object.keys(a.operators ?? {}), ...Object.keys(b.operators ?? {})]);
  const operators = a.operators && b.operators
    ? [...names].reduce((sum, name) => sum + Math.abs((a.operators?.[name] ?? 0) - (b.operators?.[name] ?? 0)), 0) / 2 : 1;
  const one = intensity(a), two = intensity(b);
  return Number(a.domain !== b.domain) + operators + (one === null || two === null ? 1 : Math.abs(Math.log10(one / two)));
}

export function standIn(task: Task, among: readonly Task[]): Task | null {
  const others = among.filter((each) => each.id !== task.id);
  return others.length ? others.reduce((best, each) => (apart(task, each) < apart(task, best) ? each : best)) : null;
}

function intensity({ flops, bytes }: Task): number | null {
  return flops !== null && bytes !== null && flops > 0 && bytes > 0 ? flops / bytes : null;
}
