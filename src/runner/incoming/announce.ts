import type { KnownVersion } from "../../backend/from_sql.ts";
import type { Runtime } from "../runtime.ts";

/** Tells the database what its SQL functions must know of the workflows of this process. */
export async function announce(
  { backend, registry, queues }: Pick<Runtime, "backend" | "registry" | "queues">,
): Promise<void> {
  const versions = registry.all().map(({ name, version, key, scope }): KnownVersion => ({
    workflow: name,
    version,
    key,
    scope,
    queue: queues.execute,
    current: registry.current(name) === version,
  }));
  await backend.fromSql?.announce(versions);
}
