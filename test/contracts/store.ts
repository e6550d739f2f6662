import { describe } from "node:test";
import { children } from "./store_children.ts";
import { commits } from "./store_commits.ts";
import { deletes } from "./store_deletes.ts";
import { deliveries } from "./store_deliveries.ts";
import { activations } from "./store_activations.ts";
import { drops } from "./store_drops.ts";
import { ends } from "./store_ends.ts";
import { graphs } from "./store_graphs.ts";
import { items } from "./store_items.ts";
import { opens } from "./store_opens.ts";
import { forks } from "./store_forks.ts";
import { reopens } from "./store_reopens.ts";
import { reads } from "./store_reads.ts";
import { records } from "./store_records.ts";
import { returns } from "./store_returns.ts";
import { reuses } from "./store_reuses.ts";
import { times } from "./store_times.ts";
import { transactions } from "./store_transactions.ts";
import { undos } from "./store_undo.ts";
import { watches } from "./store_watches.ts";
import { itIn, type Setup } from "./world.ts";

/** What every store must do. */
export function storeContract(name: string, setup: Setup): void {
  describe(`store in ${name}`, () => {
    const it = itIn(setup);
    opens(it);
    graphs(it);
    commits(it);
    reuses(it);
    records(it);
    deliveries(it);
    ends(it);
    forks(it);
    reopens(it);
    activations(it);
    drops(it);
    items(it);
    undos(it);
    children(it);
    times(it);
    returns(it);
    deletes(it);
    transactions(it);
    reads(it);
    watches(it);
  });
}
