/** A table that shows one page of its rows: as many as there may be, few stand in the document. */

import { h, type Child } from "./dom";
import { t } from "./words";

export const PAGE = 50;

export interface Column<Row> {
  label: string;
  /** A longer name, where the label is short. */
  title?: string;
  number?: boolean;
  /** Takes the room that is left. */
  wide?: boolean;
  cell: (row: Row) => Child | Child[];
  /** Sorted by clicking the heading, where there is a key. */
  sort?: string;
}

export interface Options<Row> {
  caption: string;
  columns: Column<Row>[];
  rows: readonly Row[];
  page?: number;
  turn?: (page: number) => void;
  /** `key` or `-key`. */
  sorted?: string;
  sort?: (key: string) => void;
  style?: (row: Row) => string;
}

export function table<Row>(of: Options<Row>): HTMLElement {
  const pages = Math.max(1, Math.ceil(of.rows.length / PAGE));
  const page = Math.min(of.page ?? 0, pages - 1);
  const shown = of.turn ? of.rows.slice(page * PAGE, (page + 1) * PAGE) : of.rows;
  const head = h("tr", {}, of.columns.map((column) => heading(column, of)));
  const body = shown.map((row) => h("tr", { class: of.style?.(row) || null }, of.columns.map((column, at) =>
    h(at === 0 ? "th" : "td", { class: column.number ? "n" : column.wide ? "wide" : null, scope: at === 0 ? "row" : null }, column.cell(row)))));
  const scroller = h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": of.caption },
    h("table", {}, h("caption", { class: "hidden" }, of.caption), h("thead", {}, head), h("tbody", {}, body)));
  return h("div", { class: "table" }, scroller, of.turn && pages > 1 ? pager(page, pages, of.rows.length, of.turn) : null);
}

function heading<Row>(column: Column<Row>, of: Options<Row>): HTMLElement {
  const attributes = { scope: "col", class: column.number ? "n" : null, title: column.title ?? null };
  if (!column.sort || !of.sort) return h("th", attributes, column.label);
  const key = column.sort;
  const down = of.sorted === `-${key}`, up = of.sorted === key;
  return h("th", { ...attributes, "aria-sort": down ? "descending" : up ? "ascending" : "none" },
    h("button", { type: "button", class: "sort", onclick: () => of.sort?.(down ? key : `-${key}`) }, column.label, h("span", { "aria-hidden": "true" }, down ? " ↓" : up ? " ↑" : "")));
}

function pager(page: number, pages: number, rows: number, turn: (page: number) => void): HTMLElement {
  const step = (to: number, label: string): HTMLElement =>
    h("button", { type: "button", disabled: to < 0 || to >= pages, onclick: () => turn(to) }, label);
  return h("nav", { class: "pager", "aria-label": t("table.pages") }, step(page - 1, t("table.before")),
    h("span", {}, t("table.page", { page: String(page + 1), pages: String(pages), rows: rows.toLocaleString("en-US") })), step(page + 1, t("table.next")));
}
