import type { Options } from "../options.ts";
import { chain } from "./chain.ts";
import type { Workload } from "./workload.ts";

let made: { readonly options: Options; readonly workload: Workload } | undefined;

/** The workload of a run, made once: a wide graph takes a while to prove. */
export function workloadOf(options: Options): Workload {
  if (made?.options !== options) made = { options, workload: make(options) };
  return made.workload;
}

function make(options: Options): Workload {
  switch (options.workload) {
    default:
      return chain(options);
  }
}
