import { setTimeout as pause } from "node:timers/promises";
import postgres, { type Sql } from "postgres";
import type { Proxy } from "../proxy.ts";
import type { Server } from "../../scripts/embedded_postgres.ts";
import type { Fleet } from "./fleet.ts";
import type { Fault } from "./plan.ts";

/** What faults are done to. The last proxy is the application's. */
export interface Victims {
  readonly server: Server;
  readonly url: string;
  readonly proxies: readonly Proxy[];
  readonly fleet: Fleet;
  readonly log: (text: string) => void;
}

/** Does one fault and waits until it has passed. */
export async function inflict(victims: Victims, fault: Fault): Promise<void> {
  const { server, proxies, fleet, log } = victims;
  log(JSON.stringify(fault));
  switch (fault.kind) {
    case "kill":
      await fleet.kill(fault.worker);
      return fleet.fill(fault.worker);
    case "term":
      await fleet.ask(fault.worker);
      return fleet.fill(fault.worker);
    case "stop":
      fleet.signal(fault.worker, "SIGSTOP");
      await pause(fault.takes);
      return fleet.signal(fault.worker, "SIGCONT");
    case "terminate":
      return await terminate(victims, fault.backends);
    case "restart":
      await server.stop("immediate");
      return await server.start();
    case "cut":
      return proxies[fault.worker]!.cut();
    case "swallow":
      return proxies[fault.worker]!.swallowAnswerAfter(fault.after);
    case "slow":
      proxies[fault.worker]!.slow(fault.latency);
      await pause(fault.takes);
      return proxies[fault.worker]!.slow(0);
    default:
      return await disturb(proxies[fault.worker]!, fault.kind, fault.takes);
  }
}

async function disturb(
  proxy: Proxy,
  kind: "refuse" | "hold" | "stall" | "deaf",
  takes: number,
): Promise<void> {
  const turn = (on: boolean) => {
    if (kind === "refuse") proxy.refuse(on);
    else if (kind === "hold") proxy.hold(on);
    else if (kind === "stall") proxy.stall(on);
    else proxy.deafListener(on);
  };
  turn(true);
  if (kind === "refuse") proxy.cut();
  await pause(takes);
  // What a stalled network has swallowed is lost: its connections are of no use any more.
  if (kind === "stall") proxy.cut();
  turn(false);
}

async function terminate({ url }: Victims, backends: number): Promise<void> {
  await briefly(url, (sql) =>
    sql`select pg_terminate_backend(pid)
      from (select pid from pg_stat_activity
        where datname = current_database() and application_name = 'hephaestus'
        order by random() limit ${backends}) as victim`).catch(() => {});
}

/** A connection of its own, past all proxies: it is thrown away, for the server may be restarted meanwhile. */
export async function briefly<T>(url: string, work: (sql: Sql) => Promise<T>): Promise<T> {
  // The driver's own question for array types is awaited by nobody: a restart would end the run with it.
  const quietly = { fetch_types: false, onnotice: () => {} };
  const sql = postgres(url, { max: 1, connect_timeout: 5, ...quietly });
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** Takes every fault off and fills every place. */
export function heal({ proxies, fleet }: Victims): void {
  for (const proxy of proxies) {
    proxy.refuse(false);
    proxy.stall(false);
    proxy.hold(false);
    proxy.slow(0);
    proxy.deafListener(false);
    proxy.swallowAnswerAfter(-1);
  }
  proxies.slice(0, -1).forEach((_, place) => {
    fleet.signal(place, "SIGCONT");
    fleet.fill(place);
  });
}
