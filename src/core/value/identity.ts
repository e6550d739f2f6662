import { WorkflowDefinitionError } from "../errors/errors.ts";

/**
 * Among which instances a business key may be active only once: those of the `workflow`, those of
 * one `version` of it, all of them (`global`), or not at all (`none`).
 *
 * @example Let each version run the same order
 * ```ts
 * import { done, step, type, workflow } from "@hephaestus/workflow";
 * import type { Scope } from "@hephaestus/workflow/types";
 * import { assertEquals } from "@std/assert";
 *
 * const scope: Scope = "version";
 * const send = step("send", { events: { sent: type() }, run: ({ emit }) => emit.sent() });
 * const invoice = workflow("invoice", { key: "orderid", input: type(), start: send, scope })
 *   .on(send, { sent: done })
 *   .build();
 * assertEquals(invoice.scope, "version");
 * ```
 */
export type Scope = "workflow" | "version" | "global" | "none";

/** Every scope. */
export const scopes: readonly Scope[] = ["workflow", "version", "global", "none"];

/**
 * Refuses a name that could collide with a separator, a word of the engine, or a column's width.
 */
export function checkName(what: string, name: unknown): asserts name is string {
  if (typeof name === "string" && /^[A-Za-z][A-Za-z0-9_-]{0,62}$/.test(name)) return;
  const shown = typeof name === "string" ? `"${name}"` : `of type ${typeof name}`;
  throw new WorkflowDefinitionError(
    `Cannot use ${what} name ${shown}: ` +
      `a name is a letter followed by at most 62 letters, digits, "_" or "-"`,
  );
}

/**
 * The value of a business key, given as it is or in the form in which it is handed out:
 * `"orderid::abc123"`.
 */
export function bareKey(key: string, value: string): string {
  const name = `${key}::`;
  return typeof value === "string" && value.startsWith(name) ? value.slice(name.length) : value;
}

/**
 * The business key of one value, for instance `"orderid::abc123"`. A business key is taken as it
 * is.
 */
export function businessKey(key: string, given: string): string {
  const value = bareKey(key, given);
  if (typeof value !== "string") {
    throw new TypeError(`Cannot use a business key of type ${typeof value}: expected a text`);
  }
  if (!/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]{1,200}$/u.test(value)) {
    throw new TypeError(
      `Cannot use business key ${JSON.stringify(value.slice(0, 200))}: ` +
        `expected 1 to 200 printable characters`,
    );
  }
  if (value.includes("::")) {
    throw new TypeError(
      `Cannot use business key ${JSON.stringify(value)}: ` +
        `"::" is the separator, and the keys of this workflow begin with "${key}::"`,
    );
  }
  return `${key}::${value}`;
}

/**
 * An instance in a sentence for operators: `order "abc123"`, or its id where its key is not known.
 */
export function titleOf(workflow: string, key: string | undefined, id: string): string {
  return `${workflow} "${key === undefined ? id : key.slice(key.indexOf("::") + 2)}"`;
}

/** What may be active only once, or `undefined`. No name has a colon, so no two scopes collide. */
export function uniqueKey(
  workflow: { readonly name: string; readonly version: number; readonly scope: Scope },
  businessKey: string,
): string | undefined {
  switch (workflow.scope) {
    case "workflow":
      return `workflow:${workflow.name}:${businessKey}`;
    case "version":
      return `version:${workflow.name}:${workflow.version}:${businessKey}`;
    case "global":
      return `global:${businessKey}`;
    case "none":
      return undefined;
  }
}

/** Whether a queue or a tag may be called so. */
export function isPrintable(value: unknown): value is string {
  return typeof value === "string" && /^[^\p{Cc}\p{Cs}]{1,200}$/u.test(value);
}
