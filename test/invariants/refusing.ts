/** A trigger that refuses such rows, at once or at the commit. */
export function trigger(table: string, event: string, when: string, late = false): string {
  const [what, timing, how] = late
    ? ["constraint trigger", "after", "deferrable initially deferred"]
    : ["trigger", "before", ""];
  return `create ${what} "refuse :name" ${timing} ${event} on hephaestus.${table} ${how}
    for each row when (${when}) execute function refuse()`;
}

/** A policy that lets nobody put in such rows. */
export function policy(table: string, forbidden: string): string {
  return `create policy "refuse :name" on hephaestus.${table} as restrictive for insert
    with check (not (${forbidden}))`;
}
