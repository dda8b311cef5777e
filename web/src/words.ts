/** The page's words in both languages, and numbers as they are written. */

import en from "./words/en.json";
import zh from "./words/zh.json";
import type { Num } from "./data";
import type { Estimate } from "./stats";

const ALL: Record<"en" | "zh", Record<string, string>> = { en, zh };

let lang: "en" | "zh" = "en";

export function speak(chosen: "en" | "zh"): void {
  lang = chosen;
}

export function spoken(): "en" | "zh" {
  return lang;
}

/** The words of a key, its fields filled. A key that is missing shows itself. */
export function t(key: string, values: Record<string, string | number> = {}): string {
  return (ALL[lang][key] ?? key).replace(/\{(\w+)\}/g, (_whole, name: string) => {
    const value = values[name];
    return value === undefined ? "" : typeof value === "number" ? num(value) : value;
  });
}

/** The words of a key if there are any, else the text itself: for names that reports bring. */
export function named(group: string, name: string | null): string {
  return name === null ? t("none") : (ALL[lang][`${group}.${name}`] ?? name);
}

/** Why a pass is not valid, by the words that each of its reasons begins with. The report has them with their figures. */
const INVALID: Record<string, string> = {
  errors: "invalid.errors", interrupted: "invalid.interrupted", clock: "invalid.clock", "too few samples": "invalid.few", "schedule not kept": "invalid.schedule",
  overhead: "invalid.overhead", "interpreter held": "invalid.held", stalled: "invalid.stalled", instability: "invalid.instability",
};

/** Such reasons, separated by semicolons, in a few words of the page's language. */
export function invalid(told: string): string {
  const kinds = told.split("; ").map((each) => { const key = INVALID[each.split(": ")[0]]; return key ? t(key) : each; });
  return [...new Set(kinds)].join(lang === "zh" ? "、" : ", ");
}

/** Three to four significant digits, with thousands separated; – for what is not known. */
export function num(value: Num | undefined, digits = 3): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (value === 0) return "0";
  if (size < 1e-3 || size >= 1e9) return value.toExponential(digits - 1).replace("e+", "e");
  if (size >= 10 ** digits) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(digits)));
}

/** A number in a unit with a prefix: 3.2 ms, 1.4 GB. */
export function scaled(value: Num | undefined, unit: string): string {
  if (value === null || value === undefined) return "–";
  if (value === 0) return `0 ${unit}`;
  const steps = unit === "s" ? [[1, ""], [1e-3, "m"], [1e-6, "µ"], [1e-9, "n"]] as const
    : [[1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""]] as const;
  const [step, prefix] = steps.find(([each]) => Math.abs(value) >= each) ?? steps[steps.length - 1];
  return `${num(value / step)} ${prefix}${unit}`;
}

export function share(value: Num | undefined, digits = 1): string {
  return value === null || value === undefined ? "–" : `${(value * 100).toFixed(digits)} %`;
}

export function money(value: Num | undefined, currency: string): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const sign = currency === "CNY" ? "¥" : "$";
  const size = Math.abs(value);
  return `${value < 0 ? "−" : ""}${sign}${size >= 1e-6 && size < 1e-3 ? size.toFixed(8).replace(/(\.0*\d{3})\d*$/, "$1") : num(size)}`;
}

/** Its interval in words, empty where there is none. */
export function interval(of: Estimate | null, write: (value: Num) => string): string {
  return of === null || of.low === null || of.high === null ? "" : `${write(of.low)} – ${write(of.high)}`;
}
