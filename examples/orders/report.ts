import { colour } from "./colour.ts";
import type { Stock } from "./ledger.ts";
import { byOutcome, type Result } from "./results.ts";
import { cut, table } from "./table.ts";
import { order } from "./workflow.ts";

/** The results of a run. */
export interface Report {
  readonly results: readonly Result[];
  readonly stock: readonly Stock[];
  readonly violations: readonly string[];
  readonly kills: number;
  readonly seconds: number;
}

const mostProducts = 12;

/** Formats the report as text. */
export function draw({ results, stock, violations, kills, seconds }: Report): string {
  const story = mostEventful(results);
  return [
    heading(`${results.length} orders in ${seconds.toFixed(1)} s, ${kills} processes killed`),
    outcomes(results),
    heading("The stock: what was there at first is left or shipped"),
    shelves(stock),
    verdict(violations),
    heading(`The history of order ${story.instance.input.id}: ${story.outcome}`),
    history(story),
    heading("The workflow, as Mermaid draws it"),
    order.toMermaid(),
  ].join("\n");
}

/** Formats the report for programs. */
export function summarise({ results, violations, kills, seconds }: Report): object {
  return {
    orders: results.length,
    byOutcome: Object.fromEntries(
      [...byOutcome(results)].map(([outcome, group]) => [outcome, group.length]),
    ),
    retries: sum(results, ({ retries }) => retries),
    kills,
    ledgerBalanced: violations.length === 0,
    seconds: Number(seconds.toFixed(3)),
  };
}

function heading(text: string): string {
  return colour("bold", text);
}

function outcomes(results: readonly Result[]): string {
  const rows = [...byOutcome(results), ["all", results] as const].map(([outcome, group]) => [
    outcome,
    group.length,
    sum(group, ({ retries }) => retries),
    (sum(group, ({ seconds }) => seconds) / group.length).toFixed(1),
  ]);
  return table(["outcome", "orders", "retries", "seconds each"], rows);
}

function shelves(stock: readonly Stock[]): string {
  const shown = stock.slice(0, mostProducts);
  const row = (name: string, of: readonly Stock[]) => [
    name,
    sum(of, ({ initial }) => initial),
    sum(of, ({ available }) => available),
    sum(of, ({ shipped }) => shipped),
  ];
  const rest = stock.slice(mostProducts);
  return table(["product", "initial", "left", "shipped"], [
    ...shown.map((each) => row(cut(each.name, 32), [each])),
    ...(rest.length > 0 ? [row(`${rest.length} more`, rest)] : []),
    row("all", stock),
  ]);
}

function verdict(violations: readonly string[]): string {
  if (violations.length > 0) {
    return violations.map((sentence) => `  ${colour("red", sentence)}\n`).join("");
  }
  return `  ${colour("green", "balanced")}: nothing is negative, every order counts once\n`;
}

function history({ instance, history }: Result): string {
  const began = instance.insertedAt.getTime();
  return table(
    ["after s", "step", "event", "attempts", "output", "what went wrong before"],
    history.map(({ at, step, event, attempts, output, errors }) => [
      ((at.getTime() - began) / 1_000).toFixed(2),
      step,
      event,
      attempts,
      cut(output === undefined ? "" : JSON.stringify(output), 40),
      cut(errors.map(({ message }) => message).join("; "), 60),
    ]),
  );
}

/** The order with the most eventful history. */
function mostEventful(results: readonly Result[]): Result {
  const events = ({ retries, history }: Result) => 3 * retries + history.length;
  return results.reduce((most, each) => events(each) > events(most) ? each : most);
}

function sum<T>(of: readonly T[], number: (each: T) => number): number {
  return of.reduce((sum, each) => sum + number(each), 0);
}
