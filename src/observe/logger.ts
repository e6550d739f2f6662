import { settled } from "../core/value/promise.ts";
import { callUserCode } from "../core/value/user_code.ts";

/**
 * Receives messages about what happens outside any call of the user. `console` can be used as it
 * is; pino needs its two arguments swapped.
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
  /** Details for debugging. */
  debug(message: string, fields?: object): void;
  /** Normal operation. */
  info(message: string, fields?: object): void;
  /** Failures that were recovered. */
  warn(message: string, fields?: object): void;
  /** Failures that need attention. */
  error(message: string, fields?: object): void;
}

/** Logs warnings and errors to the console. */
export const defaultLogger: Logger = {
  /** Details for debugging. */
  debug() {},
  /** Normal operation. */
  info() {},
  /** Failures that were recovered. */
  warn: (message, fields) => fields ? console.warn(message, fields) : console.warn(message),
  /** Failures that need attention. */
  error: (message, fields) => fields ? console.error(message, fields) : console.error(message),
};

/**
 * Wraps a logger so that its errors and rejections are dropped: there is no other place to report
 * them.
 */
export function guarded(logger: Logger): Logger {
  const calling = (level: keyof Logger): Logger[typeof level] => async (message, fields) => {
    try {
      await settled<unknown>(callUserCode(() => logger[level](message, fields)));
    } catch {
      // A broken logger must not break the work that logs.
    }
  };
  return {
    debug: calling("debug"),
    info: calling("info"),
    warn: calling("warn"),
    error: calling("error"),
  };
}
