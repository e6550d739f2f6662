import process from "node:process";

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;

/** Colours text for standard output, unless it is a file or a pipe or NO_COLOR is set. */
export function colour(name: keyof typeof codes, text: string): string {
  if (!process.stdout.isTTY || process.env.NO_COLOR) return text;
  return `\x1b[${codes[name]}m${text}\x1b[0m`;
}
