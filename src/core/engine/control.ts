import type { Control } from "./instance.ts";
import type { JsonObject } from "../value/json.ts";

/** Nothing has started yet. */
export const emptyControl: Control = {
  active: new Map(),
  arrived: new Map(),
  begun: new Set(),
  later: new Set(),
  early: new Set(),
  metadata: new Map(),
  past: new Map(),
};

/**
 * The control as JSON text, without what is empty. Most turns write nothing but active steps, and a
 * wide fan-out writes many: names need no quoting, and text put together takes a third of what an
 * object and `JSON.stringify` do.
 */
export function encodeControl(control: Control): string {
  let active = "";
  for (const [step, cause] of control.active) {
    active += `${active === "" ? "" : ","}"${step}":"${cause}"`;
  }
  const { arrived, begun, later, early, metadata, past } = control;
  return `{"active":{${active}}` +
    (arrived.size > 0 ? `,"arrived":${JSON.stringify(Object.fromEntries(arrived))}` : "") +
    (begun.size > 0 ? `,"begun":${JSON.stringify([...begun])}` : "") +
    (later.size > 0 ? `,"later":${JSON.stringify([...later])}` : "") +
    (early.size > 0 ? `,"early":${JSON.stringify([...early])}` : "") +
    (metadata.size > 0 ? `,"metadata":${JSON.stringify(Object.fromEntries(metadata))}` : "") +
    (past.size > 0 ? `,"past":${JSON.stringify(Object.fromEntries(past))}` : "") +
    "}";
}

interface Encoded {
  readonly active?: { readonly [step: string]: string };
  readonly arrived?: { readonly [step: string]: number };
  readonly begun?: readonly string[];
  readonly later?: readonly string[];
  readonly early?: readonly string[];
  readonly metadata?: { readonly [step: string]: JsonObject };
  readonly past?: { readonly [step: string]: readonly string[] };
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
    past: new Map(Object.entries(control.past ?? {})),
  };
}
