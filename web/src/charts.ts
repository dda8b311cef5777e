/** Charts: drawn by ECharts as SVG, each with a text summary and, on demand, its table. */

import { CustomChart, LineChart, ScatterChart } from "echarts/charts";
import { GridComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import { init, use, type EChartsType } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { h, type Child } from "./dom";
import { t } from "./words";

use([CustomChart, LineChart, ScatterChart, GridComponent, MarkLineComponent, TooltipComponent, SVGRenderer]);

export type Option = Record<string, unknown>;

/** Colours of the theme, read where they are: in the style sheet. */
export interface Ink { ink: string; soft: string; rule: string; accent: string; faint: string; second: string; surface: string }

let drawn: { chart: EChartsType; holder: HTMLElement }[] = [];

function colours(): Ink {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return { ink: of("ink"), soft: of("soft"), rule: of("rule"), accent: of("accent"), faint: of("faint"), second: of("second"), surface: of("surface") };
}

const FONT = 'system-ui, -apple-system, "Segoe UI", "Noto Sans", Arial, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif';

/** An axis in the page's style; `name` with its unit. */
export function axis(ink: Ink, name: string, more: Option = {}): Option {
  return {
    name, nameLocation: "middle", nameGap: 30, nameTextStyle: { color: ink.soft, fontSize: 12 },
    axisLine: { lineStyle: { color: ink.rule } }, axisTick: { show: false }, splitLine: { lineStyle: { color: ink.rule, width: 1 } }, ...more,
    axisLabel: { color: ink.soft, fontSize: 12, hideOverlap: true, ...(more.axisLabel as Option | undefined) },
  };
}

/**
 * A figure: title, summary, chart and the table of what it shows. `option` is called with the theme's colours and the
 * width in pixels, when the figure stands in the page.
 */
export function figure(of: { title: string; summary: string; height: number; option: (ink: Ink, width: number) => Option; table: () => Child; open?: (data: unknown) => void }): HTMLElement {
  const holder = h("div", { class: "chart", role: "img", "aria-label": `${of.title}. ${of.summary}` });
  holder.style.height = `${of.height}px`;
  const details = h("details", { class: "data" }, h("summary", {}, t("chart.table")));
  details.addEventListener("toggle", () => {
    if (details.childElementCount === 1) details.append(...[of.table()].filter((each): each is Node => each instanceof Node));
  });
  const made = h("figure", {}, h("figcaption", {}, h("h3", {}, of.title), h("p", { class: "note" }, of.summary)), holder, details);
  pending.push({ holder, option: of.option, open: of.open });
  return made;
}

let pending: { holder: HTMLElement; option: (ink: Ink, width: number) => Option; open?: (data: unknown) => void }[] = [];

/** Draws the first of what was added to the page at once and the others next, and forgets what is no longer in it. */
export function draw(): void {
  drawn = drawn.filter(({ chart, holder }) => {
    if (holder.isConnected) return true;
    chart.dispose();
    return false;
  });
  const [first, ...others] = pending;
  pending = [];
  if (first) put(first);
  others.forEach((each) => setTimeout(() => put(each)));
}

/** Draws one; what left the page meanwhile is not drawn. */
function put({ holder, option, open }: (typeof pending)[number]): void {
  if (!holder.isConnected || holder.clientWidth === 0) return;
  const ink = colours();
  const chart = init(holder, null, { renderer: "svg" });
  chart.setOption({
    animation: false, textStyle: { fontFamily: FONT }, ...option(ink, holder.clientWidth),
    tooltip: { renderMode: "richText", confine: true, backgroundColor: ink.surface, borderColor: ink.rule, textStyle: { color: ink.ink, fontSize: 12 }, formatter: tip },
  });
  if (open) chart.on("click", (hit) => open(hit.data));
  drawn.push({ chart, holder });
}

function tip(hit: { name?: string; data?: unknown }): string {
  const data = hit.data as { tip?: string } | undefined;
  return data?.tip ?? hit.name ?? "";
}

/** Bars of a histogram or of ranks as a custom series: rectangles from `from` to `to`. */
export function rectangles(data: { x0: number; x1: number; y: number; tip: string }[], fill: string, stroke: string | null): Option {
  return {
    type: "custom", clip: true,
    data: data.map((each) => ({ value: [each.x0, each.x1, each.y], tip: each.tip })),
    encode: { x: [0, 1], y: 2 },
    renderItem: (_: unknown, api: { value: (at: number) => number; coord: (at: [number, number]) => [number, number] }) => {
      const [left, top] = api.coord([api.value(0), api.value(2)]);
      const [right, bottom] = api.coord([api.value(1), 0]);
      return { type: "rect", shape: { x: left, y: top, width: Math.max(right - left - (stroke ? 0 : 1), 0.5), height: bottom - top }, style: { fill, stroke, lineWidth: stroke ? 1.2 : 0 } };
    },
  };
}

addEventListener("resize", () => { for (const { chart } of drawn) chart.resize(); });
