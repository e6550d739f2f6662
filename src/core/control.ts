import type { Control } from "./instance.ts";
import type { JsonObject } from "./json.ts";

/** Nothing has started yet. */
export const emptyControl: Control = {
  active: new Map(),
  arrived: new Map(),
  begun: new Set(),
  later: new Set(),
  early: new Set(),
  metadata: new Map(),
};

/** The control as JSON text, without what is empty. */
export function encodeControl(control: Control): string {
  const out: { [part: string]: unknown } = { active: Object.fromEntries(control.active) };
  if (control.arrived.size > 0) out.arrived = Object.fromEntries(control.arrived);
  if (control.begun.size > 0) out.begun = [...control.begun];
  if (control.later.size > 0) out.later = [...control.later];
  if (control.early.size > 0) out.early = [...control.early];
  if (control.metadata.size > 0) out.metadata = Object.fromEntries(control.metadata);
  return JSON.stringify(out);
}

interface Encoded {
  readonly active?: { readonly [step: string]: string };
  readonly arrived?: { readonly [step: string]: number };
  readonly begun?: readonly string[];
  readonly later?: readonly string[];
  readonly early?: readonly string[];
  readonly metadata?: { readonly [step: string]: JsonObject };
}

/** Reads what {@linkcode encodeControl} has written. */
export function decodeControl(text: string): Control {
  const control: Encoded = JSON.parse(text);
  return {
    active: new Map(Object.entries(control.active ?? {})),
    arrived: new Map(Object.entries(control.arrived ?? {})),
    begun: new Set(control.begun),
    later: new Set(control.later),
    early: new Set(control.early),
    metadata: new Map(Object.entries(control.metadata ?? {})),
  };
}
