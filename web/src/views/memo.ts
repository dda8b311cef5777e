/** One page for a decision: the choice, those behind it, what ruled others out, what was assumed, what it rests on. */

import { text } from "../board";
import { h, save, fill } from "../dom";
import type { Context, Shown } from "../main";
import { judge, type Answer, type Entry } from "../perform";
import { mixOf } from "../perform";
import { interval, money, named, num, scaled, share, t } from "../words";
import { because, targetName, unitOf, written } from "./performance";

interface Part { title: string; lines: string[] }

export function memo(context: Context): Shown {
  return { controls: null, answer: () => answer(context) };
}

function answer(context: Context): HTMLElement {
  const { board } = context;
  const found = judge(board, context.state());
  const all = parts(context, found);
  const said = h("span", { role: "status", class: "note" });
  const markdown = (): string => `# ${t("memo.title")}\n\n${all.map((part) => `## ${part.title}\n\n${part.lines.map((line) => `- ${line}`).join("\n")}\n`).join("\n")}`;
  return h("article", { class: "memo" },
    h("div", { class: "tools" }, h("button", { type: "button", onclick: () => print() }, t("memo.print")), " ",
      h("button", { type: "button", onclick: () => { save("decision-memo.md", markdown(), "text/markdown"); fill(said, t("memo.saved")); } }, t("memo.markdown")), " ", said),
    h("h1", {}, t("memo.title")), h("p", { class: "lead" }, t("memo.lead", { tasks: tasks(found), metric: t(`metric.${context.state().metric}`) })),
    ...all.map((part) => h("section", {}, h("h2", {}, part.title), h("ul", {}, part.lines.map((line) => h("li", {}, line))))));
}

function tasks(found: Answer): string {
  return Object.entries(found.mix).map(([name, weight]) => `${name} ×${num(weight)}`).join(", ");
}

function line(context: Context, found: Answer, entry: Entry): string {
  const { board } = context;
  const state = context.state();
  const reach = interval(entry.metric, (value) => written(state.metric, value, state.currency));
  const value = `${written(state.metric, entry.metric?.value ?? null, state.currency)} ${unitOf(state.metric, state, found.power)}${reach ? ` (${reach})` : ""}`;
  return t("memo.line", { name: targetName(board, entry), value, accuracy: share(entry.accuracy, 2), p99: scaled(entry.p99?.value, "s"), trust: named("trust", text(board.reports.trust, entry.report)) });
}

function parts(context: Context, found: Answer): Part[] {
  const { board } = context;
  const state = context.state();
  const first = found.ranked.filter((entry) => entry.rank === 1);
  const next = found.ranked.filter((entry) => entry.rank !== 1).slice(0, 4);
  const uncovered = found.all - found.covered;
  const outs = found.out.slice(0, 8).map((entry) => `${targetName(board, entry)}: ${because(entry.reasons[0])}`);
  if (found.out.length > 8) outs.push(t("memo.more", { count: String(found.out.length - 8) }));
  const used = [...first, ...next].flatMap((entry) => entry.parts.filter((part) => part.report >= 0).map((part) => `${board.reports.id[part.report]} · ${part.task} · ${board.reports.created[part.report].slice(0, 10)} · ${named("trust", text(board.reports.trust, part.report))}`));
  return [
    { title: t(first.length > 1 ? "memo.tied" : "memo.choice"), lines: first.length ? first.slice(0, 6).map((entry) => line(context, found, entry)) : [t("perf.none")] },
    { title: t("memo.next"), lines: next.length ? next.map((entry) => `${entry.rank}. ${line(context, found, entry)}`) : [t("memo.nobody")] },
    { title: t("memo.out"), lines: outs.length ? outs : [t("memo.nobody")] },
    { title: t("memo.assumed"), lines: assumed(context, found, uncovered) },
    { title: t("memo.reports"), lines: used.length ? [...new Set(used)] : [t("memo.nobody")] },
    { title: t("memo.where"), lines: [location.hash || "#v=1", t("shell.foot", { version: board.index.meta.accelbench, reports: board.count.toLocaleString("en-US"), created: board.index.meta.created?.slice(0, 10) ?? "–" })] },
  ].map((part) => ({ ...part, lines: part.lines.map((each) => (part.title === t("memo.where") && state.share === false && each.includes("prices=") ? each.replace(/&prices=[^&]*/, "") : each)) }));
}

function assumed(context: Context, found: Answer, uncovered: number): string[] {
  const state = context.state();
  const { board } = context;
  const lines = [
    t(`require.${state.require}.lead`, { ratio: share(state.ratio) }),
    ...(state.require === "drift" ? [[t("perf.l2"), state.l2], [t("perf.sqnr"), state.sqnr], [t("perf.flip"), state.flip === null ? null : state.flip * 100]].filter((each) => each[1] !== null).map(([name, value]) => `${name} ${num(value as number)}`) : []),
    t("memo.mix", { tasks: Object.entries(mixOf(board, state)).map(([name, weight]) => `${name} ×${num(weight)}`).join(", ") }),
    t("memo.scenario", { scenario: state.scenario ? named("scenario", state.scenario) : t("any"), bound: state.bound === null ? t("none.limit") : `p99 ≤ ${num(state.bound)} ms` }),
    t("memo.coverage", { covered: String(found.covered), all: String(found.all), uncovered: String(uncovered) }),
  ];
  if (["watt", "million", "breakeven"].includes(state.metric)) lines.push(found.power ? t("perf.power", { power: t(`power.${found.power}`) }) : t("perf.noPower"));
  if (["million", "breakeven"].includes(state.metric)) lines.push(`${t("cost.rate")}: ${num(state.rate)} · ${t("cost.years")}: ${num(state.years)} · ${t("cost.use")}: ${num(state.use)} · ${t("cost.kwh")}: ${num(state.kwh)} · ${t("cost.pue")}: ${num(state.pue)} · ${t("cost.support")}: ${num(state.support)} · ${t("cost.host")}: ${num(state.host)} · ${t("cost.network")}: ${num(state.network)} · ${t("cost.port")}: ${num(state.port)} · ${t("cost.fleet")}: ${num(state.fleet)}`);
  if (["dollar", "million", "breakeven"].includes(state.metric)) for (const entry of found.ranked.slice(0, 5)) if (entry.price !== null) lines.push(`${targetName(board, entry)}: ${money(entry.price, state.currency)}${state.pay === "rent" ? "/h" : ""}`);
  if (state.metric === "cards") lines.push(`${t("cost.need")}: ${num(state.need)} · ${t("cost.headroom")}: ${num(state.headroom)} · ${t("cost.spare")}: ${num(state.spare)}`);
  return lines;
}
