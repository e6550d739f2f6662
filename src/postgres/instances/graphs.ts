import type { OtherGraph, VersionGraph } from "../../backend/graphs.ts";
import type { Tx } from "../driver/contract.ts";
import { columns } from "../sql/arrays.ts";
import type { Tables } from "../sql/tables.ts";

/** Stores graphs, and finds open instances of other graphs of the same versions. */
export async function compare(
  on: Pick<Tx, "query">,
  t: Tables,
  graphs: readonly VersionGraph[],
): Promise<readonly OtherGraph[]> {
  const rows = await on.query<{
    readonly workflow: string;
    readonly workflow_version: string;
    readonly fingerprint: string;
    readonly graph: string;
    readonly open: string;
    readonly mixed: string;
  }>(
    `with given as materialized (
       select *
       from unnest($1::text[], $2::int[], $3::bigint[], $4::text[]) as given (workflow, version, fingerprint, graph)
     ),
     entered as (
       insert into ${t.graphs} (workflow, workflow_version, fingerprint, graph)
       select workflow, version, fingerprint, graph::jsonb
       from given
       order by fingerprint
       on conflict do nothing
     )
     select other.workflow, other.workflow_version::text, other.fingerprint::text, other.graph::text,
       begun.open::text,
       exists (select from ${t.instances} i where i.graph = given.fingerprint and i.finished_at is null)::text as mixed
     from given
     join ${t.graphs} other on other.workflow = given.workflow
       and other.workflow_version = given.version
       and other.fingerprint <> given.fingerprint
     cross join lateral (
       select count(*) as open
       from ${t.instances} i
       where i.graph = other.fingerprint and i.finished_at is null
     ) as begun
     where begun.open > 0
     order by begun.open desc`,
    [...columns(
      graphs,
      ({ workflow }) => workflow,
      ({ version }) => version,
      ({ fingerprint }) => fingerprint,
      ({ graph }) => graph,
    )],
  );
  return rows.map((row) => ({
    workflow: row.workflow,
    version: Number(row.workflow_version),
    fingerprint: row.fingerprint,
    graph: row.graph,
    open: Number(row.open),
    mixed: row.mixed === "true",
  }));
}

/** Open instances of a version that a living process has, but with another graph. */
export interface Orphaned {
  readonly workflow: string;
  readonly version: number;
  readonly open: number;
}

/** Finds open instances whose graph no living process has. */
export async function orphaned(on: Pick<Tx, "query">, t: Tables): Promise<readonly Orphaned[]> {
  const rows = await on.query<{ workflow: string; version: string; open: string }>(
    `with alive as materialized (
       select serves from ${t.processes} where expires_at > now()
     ),
     begun as (
       select workflow, workflow_version, graph, count(*) as open,
         workflow || '@' || workflow_version as code
       from ${t.instances}
       where finished_at is null and graph is not null
       group by workflow, workflow_version, graph
     )
     select workflow, workflow_version::text as version, sum(open)::text as open
     from begun
     where exists (select from alive where begun.code = any (alive.serves))
       and not exists (
         select from alive where alive.serves is null or begun.code || '@' || begun.graph = any (alive.serves))
     group by workflow, workflow_version
     order by workflow, workflow_version`,
  );
  return rows.map(({ workflow, version, open }) => ({
    workflow,
    version: Number(version),
    open: Number(open),
  }));
}
