/** Form controls bound to the state. */

import { h, type Child } from "./dom";
import type { State } from "./state";

/** What a view gets: the state, and how to change it. `quiet` leaves the controls as they are and answers anew. */
export type Change = (patch: Partial<State>, quiet?: boolean) => void;

let made = 0;

export function field(label: string, input: HTMLElement, note?: string): HTMLElement {
  const id = `f${(made += 1)}`;
  input.id = id;
  return h("div", { class: "field" }, h("label", { for: id }, label), input, note ? h("small", {}, note) : null);
}

export function select(label: string, value: string, options: readonly (readonly [string, string])[], change: (value: string) => void): HTMLElement {
  const input = h("select", { onchange: () => change((input as HTMLSelectElement).value) },
    options.map(([key, words]) => h("option", { value: key, selected: key === value }, words)));
  return field(label, input);
}

/** A number; empty is null. */
export function number(label: string, value: number | null, change: (value: number | null) => void, more: { min?: number; max?: number; step?: number | "any"; hint?: string; placeholder?: string } = {}): HTMLElement {
  const input = h("input", {
    type: "number", value: value === null ? "" : value, min: more.min ?? 0, max: more.max ?? null, step: more.step ?? "any", inputmode: "decimal", placeholder: more.placeholder ?? null,
    oninput: () => {
      const told = (input as HTMLInputElement).value.trim();
      if ((input as HTMLInputElement).validity.valid) change(told === "" ? null : Number(told));
    },
  });
  return field(label, input, more.hint);
}

export function textual(label: string, value: string, change: (value: string) => void, placeholder = ""): HTMLElement {
  const input = h("input", { type: "search", value, placeholder, oninput: () => change((input as HTMLInputElement).value) });
  return field(label, input);
}

export function tick(label: Child, value: boolean, change: (value: boolean) => void): HTMLElement {
  const input = h("input", { type: "checkbox", checked: value, onchange: () => change((input as HTMLInputElement).checked) });
  return h("label", { class: "tick" }, input, " ", label);
}

/** One of several, side by side. */
export function choice(label: string, value: string, options: readonly (readonly [string, string])[], change: (value: string) => void): HTMLElement {
  const name = `c${(made += 1)}`;
  return h("fieldset", { class: "choice" }, h("legend", {}, label), h("div", { class: "segments" }, options.map(([key, words]) =>
    h("label", {}, h("input", { type: "radio", name, value: key, checked: key === value, onchange: () => change(key) }), h("span", {}, words)))));
}

export function section(title: string, open: boolean, ...children: Child[]): HTMLElement {
  return h("details", { class: "controls", open: open && innerWidth > 640 }, h("summary", {}, title), h("div", { class: "fields" }, ...children));
}
