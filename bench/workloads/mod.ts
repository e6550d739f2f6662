import type { Options } from "../options.ts";
import { loop } from "./again.ts";
import { chain } from "./chain.ts";
import { list } from "./each.ts";
import { fanout } from "./fanout.ts";
import { mixed } from "./mixed.ts";
import { payload } from "./payload.ts";
import type { Workload } from "./workload.ts";

let made: { readonly options: Options; readonly workload: Workload } | undefined;

/** The workload of a run. Create it once: checking a wide graph takes a while. */
export function workloadOf(options: Options): Workload {
  if (made?.options !== options) made = { options, workload: make(options) };
  return made.workload;
}

function make(options: Options): Workload {
  switch (options.workload) {
    case "start":
    case "latency":
      return chain({ steps: 1, wait: 0 });
    case "chain":
    case "growth":
      return chain(options);
    case "fanout":
      return fanout(options);
    case "each":
      return list(options);
    case "payload":
      return payload(options);
    case "again":
      return loop(options);
    case "mixed":
      return mixed;
  }
}
