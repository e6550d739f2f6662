import { readdirSync, readFileSync } from "node:fs";

// USER_HZ, which is a stable constant on Linux.
const ticksPerSecond = 100;

/**
 * Microseconds of CPU that a server has used: the postmaster, its living children, and children
 * that have exited, whose time the postmaster has inherited. `undefined` without /proc.
 */
export function serverCpu(postmaster: number): number | undefined {
  const own = statOf(postmaster);
  if (own === undefined) return undefined;
  let ticks = own.spent + own.inherited;
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const child = statOf(Number(entry));
    if (child?.parent === postmaster) ticks += child.spent + child.inherited;
  }
  return ticks * (1_000_000 / ticksPerSecond);
}

interface Stat {
  readonly parent: number;
  readonly spent: number;
  /** CPU of children that have exited. */
  readonly inherited: number;
}

function statOf(pid: number): Stat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // The process name before this may contain spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ").map(Number);
  const [parent, utime, stime, cutime, cstime] = [1, 11, 12, 13, 14].map((at) => fields[at] ?? 0);
  return { parent: parent!, spent: utime! + stime!, inherited: cutime! + cstime! };
}
