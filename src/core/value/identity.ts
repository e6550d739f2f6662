import { WorkflowDefinitionError } from "../errors/errors.ts";

/**
 * Where a business key must be unique among active instances: in the `workflow`, in one `version`
 * of it, in all workflows (`global`), or nowhere (`none`).
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

/** All scopes. */
export const scopes: readonly Scope[] = ["workflow", "version", "global", "none"];

/**
 * Rejects a name that could collide with a separator or a reserved word, or exceed the width of a
 * column.
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
 * Returns the value of a business key, given with or without its prefix, as in `"orderid::abc123"`.
 */
export function bareKey(key: string, value: string): string {
  const name = `${key}::`;
  return typeof value === "string" && value.startsWith(name) ? value.slice(name.length) : value;
}

/**
 * Returns the business key of a value, for instance `"orderid::abc123"`. A value that is already a
 * business key is returned unchanged.
 */
export function businessKey(key: string, given: string): string {
  const value = bareKey(key, given);
  if (typeof value !== "string") {
    throw new TypeError(`Cannot use a business key of type ${typeof value}: expected a string`);
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
        `"::" is a separator, and the keys of this workflow start with "${key}::"`,
    );
  }
  return `${key}::${value}`;
}

/** Describes an instance for operators: `order "abc123"`, or by id when its key is not known. */
export function titleOf(workflow: string, key: string | undefined, id: string): string {
  return `${workflow} "${key === undefined ? id : key.slice(key.indexOf("::") + 2)}"`;
}

/**
 * The text that must be unique among active instances, or `undefined`. Names have no colons, so
 * scopes cannot collide.
 */
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

/** Whether a value is allowed as the name of a queue or a tag. */
export function isPrintable(value: unknown): value is string {
  return typeof value === "string" && /^[^\p{Cc}\p{Cs}]{1,200}$/u.test(value);
}
