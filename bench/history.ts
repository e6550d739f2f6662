import type { Options } from "./options.ts";
import type { BenchDatabase } from "./database.ts";

/**
 * Inserts finished instances of chains with their results, as the engine leaves them, and gathers
 * statistics.
 */
export async function fillHistory(
  { schema, observer }: BenchDatabase,
  { history, steps }: Pick<Options, "history" | "steps">,
): Promise<void> {
  const chunk = 100_000;
  // Skips the check that each result has an instance.
  await observer.query("select set_config('hephaestus.writer', 'engine', false)");
  for (let from = 1; from <= history; from += chunk) {
    // UUIDv7 ids, so that the index grows at its end, as with instances that are started one after
    // the other.
    await observer.query(
      `with old as (
        insert into ${schema}.workflow_instances (id, revision, workflow_version, finished_at, status, control,
          workflow, key, unique_key, input)
        select (lpad(to_hex(1700000000000 + n), 12, '0') || '7' || lpad(to_hex(n % 4096), 3, '0') || '8' ||
            substr(md5(n::text), 1, 15))::uuid,
          $3::int + 1, 1, now(), 'completed', '{}', 'chain', 'id::old' || n, 'chain::id::old' || n, '{}'
        from generate_series($1::int, $2::int) as n
        returning id
      )
      insert into ${schema}.step_results (instance_id, workflow_version, applied_revision, process_id, started_at,
        processed, step_ref, event, context_updates)
      select id, 1, step + 2, 0, now(), true, 's' || step, 'ok', '{"n": 1}'
      from old, generate_series(0, $3::int - 1) as step`,
      [String(from), String(Math.min(from + chunk - 1, history)), String(steps)],
    );
  }
  await observer.query(`vacuum (analyze) ${schema}.workflow_instances, ${schema}.step_results`);
  // Otherwise the run would pay for flushing the history. Not every role may run this.
  await observer.query("checkpoint").catch(() => {});
}
