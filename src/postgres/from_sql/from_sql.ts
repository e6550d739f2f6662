import type { FromSql } from "../../backend/storage.ts";
import type { Db } from "../driver/contract.ts";
import { reporting } from "../driver/errors.ts";
import { retrying } from "../driver/retrying.ts";
import type { Channels } from "../notifications.ts";
import type { Tables } from "../sql/tables.ts";
import { announce } from "./announce.ts";
import { begin } from "./begin.ts";
import { discard } from "./discard.ts";

/** What the SQL functions leave to processes with the code. Each method is one statement. */
export function postgresFromSql(calls: Db, t: Tables, channels: Channels): FromSql {
  const patience = { deadline: 5_000 };
  return {
    announce: (versions) => reporting(() => retrying(() => announce(calls, t, versions), patience)),
    begin: (process, instance) =>
      reporting(() => retrying(() => begin(calls, t, channels, process, instance), patience)),
    discard: (lease, error) =>
      reporting(() => retrying(() => discard(calls, t, lease, error), patience)),
  };
}
