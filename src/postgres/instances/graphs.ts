import type { OtherGraph, VersionGraph } from "../../backend/graphs.ts";
import type { OpenInstances } from "../../core/deploy/compare.ts";
import type { Tx } from "../driver/contract.ts";
import { columns } from "../sql/arrays.ts";
import { date, epoch } from "../sql/fragments.ts";
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

/** Counts all open instances, by the graph that they started with. */
export async function openInstances(
  on: Pick<Tx, "query">,
  t: Tables,
): Promise<readonly OpenInstances[]> {
  const rows = await on.query<{
    readonly workflow: string;
    readonly version: string;
    readonly fingerprint: string | null;
    readonly graph: string | null;
    readonly open: string;
    readonly oldest: string;
    readonly steps: string;
  }>(
    `with begun as (
       select workflow, workflow_version as version, graph as fingerprint, count(*) as open, min(inserted_at) as oldest
       from ${t.instances}
       where finished_at is null
       group by workflow, workflow_version, graph
     ),
     reached as (
       select workflow, workflow_version as version, graph as fingerprint, step, count(*) as open
       from ${t.instances}, jsonb_object_keys(control -> 'active') as step
       where finished_at is null
       group by workflow, workflow_version, graph, step
     )
     select begun.workflow, begun.version::text, begun.fingerprint::text, begun.open::text,
       ${epoch("begun.oldest")} as oldest, known.graph::text,
       (select coalesce(jsonb_object_agg(step, open), '{}')::text
        from reached
        where reached.workflow = begun.workflow
          and reached.version = begun.version
          and reached.fingerprint is not distinct from begun.fingerprint) as steps
     from begun
     left join ${t.graphs} as known on known.workflow = begun.workflow
       and known.workflow_version = begun.version
       and known.fingerprint = begun.fingerprint`,
  );
  return rows.map((row) => ({
    workflow: row.workflow,
    version: Number(row.version),
    fingerprint: row.fingerprint ?? undefined,
    graph: row.graph ?? undefined,
    open: Number(row.open),
    oldest: date(row.oldest),
    steps: JSON.parse(row.steps),
  }));
}
