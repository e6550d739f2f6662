import { colour } from "./colour.ts";

/** Formats rows under headings, with numbers aligned to the right. */
export function table(
  headings: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const right = headings.map((_, i) => rows.every((row) => typeof row[i] === "number"));
  const texts = [headings, ...rows].map((row) => row.map(String));
  const widths = headings.map((_, i) => Math.max(...texts.map((row) => row[i]?.length ?? 0)));
  const lines = texts.map((row) =>
    row.map((text, i) => right[i] ? text.padStart(widths[i]!) : text.padEnd(widths[i]!))
      .join("  ").trimEnd()
  );
  return [colour("dim", lines[0]!), ...lines.slice(1)].map((line) => `  ${line}\n`).join("");
}

/** Cuts a text to a width. */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
