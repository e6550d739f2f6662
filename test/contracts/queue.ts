import { describe } from "node:test";
import { claims } from "./queue_claims.ts";
import { leases } from "./queue_leases.ts";
import { rescues } from "./queue_rescues.ts";
import { upkeep } from "./queue_upkeep.ts";
import { itIn, type Setup } from "./world.ts";

/** What every queue must do. */
export function queueContract(name: string, setup: Setup): void {
  describe(`queue in ${name}`, () => {
    const it = itIn(setup);
    claims(it);
    leases(it);
    rescues(it);
    upkeep(it);
  });
}
