import process from "node:process";
import { Connection } from "../src/postgres/driver/connection.ts";

/** Microseconds of CPU that this process has used. */
function cpuUsed(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

let statements: number | undefined;

/**
 * Counts the statements of this process, for servers that do not: every statement of the engine
 * passes through here.
 */
export function countStatements(): void {
  const { send } = Connection.prototype;
  statements = 0;
  Connection.prototype.send = function (...args) {
    statements!++;
    return send.apply(this, args);
  };
}

/** Statements sent so far; `undefined` if they are not counted. */
function statementsSent(): number | undefined {
  return statements;
}

/** The resource usage that a process reports. */
export interface Usage {
  readonly cpu: number;
  readonly statements: number | undefined;
  /**
   * Megabytes of its heap and buffers. The size of the whole process would include the TypeScript
   * compiler.
   */
  readonly size: number;
}

export function usage(): Usage {
  const { heapTotal, external } = process.memoryUsage();
  return {
    cpu: cpuUsed(),
    statements: statementsSent(),
    size: Math.round((heapTotal + external) / 1_048_576),
  };
}
