import type { EndedInstance } from "../engine/instance.ts";
import { type ErrorCode, HephaestusError } from "../errors/base.ts";
import { type Failure, toError } from "../value/failure.ts";
import { titleOf } from "../value/identity.ts";

/** The event of a child whose workflow returns nothing. */
export const completedEvent = "completed";

/** How the end of a child ends the step that started it: an event, or a failure. */
export type ChildEnding =
  | { readonly event: string; readonly output: unknown }
  | { readonly error: HephaestusError };

const codes: Readonly<Record<string, ErrorCode>> = {
  failed: "CHILD_FAILED",
  cancelled: "CHILD_CANCELLED",
  undone: "CHILD_UNDONE",
};

/**
 * How a child that has ended, or is gone, ends its step. `events` are those that the step can end
 * with, and `limited` is whether the step has a deadline.
 */
export function childEnding(
  child: EndedInstance | undefined,
  { step, id, events, limited }: {
    readonly step: string;
    readonly id: string;
    readonly events: { has(event: string): boolean };
    readonly limited: boolean;
  },
): ChildEnding {
  const gave = (code: ErrorCode, why: string, cause?: Failure): ChildEnding => ({
    error: new HephaestusError(
      code,
      `Cannot finish step "${step}": ${why}`,
      cause === undefined ? {} : { cause: toError(cause) },
    ),
  });
  if (child === undefined) return gave("CHILD_GONE", `its child ${id} was deleted`);
  const { status, outcome: event = completedEvent, output, error } = child;
  const name = `its child ${titleOf(child.workflow, child.key, id)} (${id})`;
  if (status !== "completed") {
    const late = limited && status === "failed" && error?.code === "DEADLINE";
    const why = error === undefined ? "" : `. ${error.message}`;
    const code = late ? "DEADLINE" : codes[status] ?? "CHILD_FAILED";
    return gave(code, `${name} is ${status}${why}`, error);
  }
  if (events.has(event)) return { event, output };
  return gave(
    "UNKNOWN_OUTCOME",
    `${name} has ended with "${event}" in version ${child.version}, which the step does not know`,
  );
}
