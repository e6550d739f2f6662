import { assertEquals } from "@std/assert";
import { turn } from "../contracts/world.ts";
import { eventually } from "../everywhere.ts";
import { onPostgresBackend } from "./backends.ts";

onPostgresBackend("a process that leaves", (it) => {
  it("gives back a job that was handed over to it meanwhile", {
    workflows: [],
  }, async ({ scene, sql }) => {
    const process = await scene.register();
    const id = await scene.open();
    const started = [scene.job({ instance: id, step: "ship", owned: true })];

    const leaving = await scene.store.transaction(async (tx) => {
      await tx.commit(process, [turn(id, { started })]);
      const leaving = scene.queue.unregister(process);
      await eventually(async () => {
        const waiting = await sql`select from pg_stat_activity where wait_event_type = 'Lock'
          and datname = current_database() and query like 'delete from%processes%'`;
        return waiting.length === 1;
      }, "it waits for the turn that is being written");
      // In an array, or the transaction would wait for it.
      return [leaving];
    });
    await Promise.all(leaving);

    const [job] = await scene.jobsOf(id);
    assertEquals([job?.state, job?.process, job?.attempt], ["available", undefined, 0]);
  });
});
