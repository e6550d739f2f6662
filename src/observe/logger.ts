import { settled } from "../core/value/promise.ts";
import { callUserCode } from "../core/value/user_code.ts";

/**
 * Where the engine writes what nobody called for: `console` fits, and so does pino with its two
 * arguments the other way round.
 *
 * @example Log through pino
 * ```ts
 * import type { Logger } from "@hephaestus/workflow";
 *
 * interface Pino {
 *   debug(fields: object, message: string): void;
 *   info(fields: object, message: string): void;
 *   warn(fields: object, message: string): void;
 *   error(fields: object, message: string): void;
 * }
 *
 * export const throughPino = (pino: Pino): Logger => ({
 *   debug: (message, fields = {}) => pino.debug(fields, message),
 *   info: (message, fields = {}) => pino.info(fields, message),
 *   warn: (message, fields = {}) => pino.warn(fields, message),
 *   error: (message, fields = {}) => pino.error(fields, message),
 * });
 * ```
 */
export interface Logger {
  /** Is told of what only somebody who looks for a fault wants to know. */
  debug(message: string, fields?: object): void;
  /** Is told of what happens as it should. */
  info(message: string, fields?: object): void;
  /** Is told of what went wrong and was mended. */
  warn(message: string, fields?: object): void;
  /** Is told of what went wrong and needs somebody. */
  error(message: string, fields?: object): void;
}

/** Warnings and errors, on the console. */
export const defaultLogger: Logger = {
  /** Is told of what only somebody who looks for a fault wants to know. */
  debug() {},
  /** Is told of what happens as it should. */
  info() {},
  /** Is told of what went wrong and was mended. */
  warn: (message, fields) => fields ? console.warn(message, fields) : console.warn(message),
  /** Is told of what went wrong and needs somebody. */
  error: (message, fields) => fields ? console.error(message, fields) : console.error(message),
};

/**
 * The same logger, unable to harm: what it throws or rejects with is dropped, for there is nobody
 * left to tell.
 */
export function guarded(logger: Logger): Logger {
  const calling = (level: keyof Logger): Logger[typeof level] => async (message, fields) => {
    try {
      await settled<unknown>(callUserCode(() => logger[level](message, fields)));
    } catch {
      // A broken logger must not break the work that it was told of.
    }
  };
  return {
    debug: calling("debug"),
    info: calling("info"),
    warn: calling("warn"),
    error: calling("error"),
  };
}
