import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import type { Sql } from "postgres";
import { eventually, onPostgres } from "../everywhere.ts";
import { assertSound } from "../invariants/story.ts";
import { child } from "./child.ts";
import { type Hazard, hazardous, tables } from "./hazards.ts";

const options = { workflows: [hazardous] };
const quick = { poll: "50ms", lease: "400ms", heartbeat: "100ms" } as const;
const program = "test/rescue/worker.ts";

/** Everything that a zombie could have changed. */
async function everything(sql: Sql, id: string): Promise<unknown> {
  const [row] = await sql`
    select
      (select to_json(i) from hephaestus.workflow_instances as i where id = ${id}) as instance,
      (select json_agg(r order by step_ref) from hephaestus.step_results as r
        where instance_id = ${id}) as results,
      (select json_agg(j) from hephaestus.jobs as j where instance_id = ${id}) as jobs,
      (select json_agg(e) from effects as e) as effects`;
  return row;
}

const waiting = { hazard: "gate" } as const;
const poisons = { inline: ["exit", "throw"], "through jobs": ["kill", "reject"] } as const;

for (const way of ["inline", "through jobs"] as const) {
  onPostgres("a step that kills its process in each attempt", (it) => {
    for (const hazard of poisons[way]) {
      it(`is discarded after its attempts (${hazard})`, options, async (world) => {
        const { hephaestus, sql, url, inline } = world;
        await sql.unsafe(tables);
        const handle = await hephaestus.start(hazardous, "poison", { hazard });

        for (let attempt = 0; attempt < 2; attempt++) {
          await using worker = child(program, url, String(inline));
          assertNotEquals(await worker.ended, 0);
        }
        await hephaestus.work(quick).ready;

        const end = await handle.result();
        assertEquals(end.status, "failed");
        assertStringIncludes(end.error!.message, "the process died in each of its 2 attempts");
        assertEquals([...await sql`select attempt from runs order by 1`], [{ attempt: 1 }, {
          attempt: 2,
        }]);
        assertEquals(
          (await sql`select state from hephaestus.jobs where instance_id = ${handle.id}`)[0]?.state,
          "discarded",
        );
        await assertSound(sql);
      });
    }
  }, [way]);
}

onPostgres("a step that kills its process beside twenty others", (it) => {
  it("costs them no attempt, and is given up after its own", options, async (world) => {
    const { hephaestus, sql, url, inline } = world;
    await sql.unsafe(tables);
    const keys = Array.from({ length: 20 }, (_, n) => ({ key: `other ${n}`, input: waiting }));
    const others = await hephaestus.startMany(hazardous, keys);
    const killer = await hephaestus.start(hazardous, "killer", { hazard: "exit" });
    let over = false;
    const ends = Promise.all([killer, ...others].map((handle) => handle.result()));
    void ends.then(() => over = true);

    for (let deaths = 1; !over; deaths++) {
      await using worker = child(program, url, String(inline), "", "25");
      await Promise.race([worker.ended, ends]);
      // They have run beside it, and waited, twice.
      if (deaths === 2) await sql`insert into gate values (true)`;
    }

    const [end, ...rest] = await ends;
    assertEquals(end?.status, "failed");
    assertStringIncludes(end!.error!.message, "the process died in each of its 2 attempts");
    assertEquals([...new Set(rest.map(({ status }) => status))], ["completed"]);
    const attempts = await sql`select key, array_agg(attempt order by attempt) as attempts from runs
      group by key = 'id::killer', key order by key = 'id::killer', key`;
    assertEquals(attempts.at(-1)?.attempts, [1, 1, 1, 2]);
    assertEquals([...new Set(attempts.slice(0, -1).flatMap((row) => row.attempts))], [1]);
    assertEquals((await sql`select from effects`).length, 20);
    await assertSound(sql);
  });
});

onPostgres("the jobs of a dead process", (it) => {
  it(
    "are claimed again when its lease has ended, at the next heartbeat",
    options,
    async (world) => {
      const { hephaestus, sql, url, inline } = world;
      await sql.unsafe(tables);
      await using worker = child(program, url, String(inline));
      const { process } = await worker.heard("ready");
      const handle = await hephaestus.start(hazardous, "one", { hazard: "gate" });
      await eventually(async () => (await sql`select from runs`).length === 1, "the step runs");

      worker.send("SIGKILL");
      await worker.ended;
      // Long enough for a rescue that comes too early.
      const [lease] = await sql`
      update hephaestus.processes set expires_at = now() + interval '3 s'
      where id = ${String(process)} returning expires_at::text as ends`;
      await hephaestus.work(quick).ready;
      await handle.result();

      const [rescue] = await sql`
      select extract(epoch from started_at - ${lease!.ends}::timestamptz)::float8 as after, attempt
      from hephaestus.step_results where instance_id = ${handle.id}`;
      assertEquals(rescue?.attempt, 2);
      assert(rescue!.after > 0, `not ${rescue!.after} s before the lease has ended`);
      // A heartbeat is 0.1 s; a busy machine may take its time.
      assert(rescue!.after < 10, `not ${rescue!.after} s after it`);
    },
  );
}, ["inline"]);

const zombies = {
  inline: { how: "was stopped", hazard: "gate" },
  "through jobs": { how: "was blocked", hazard: "block" },
} as const;

for (const way of ["inline", "through jobs"] as const) {
  onPostgres("a process that was declared dead while it", (it) => {
    const { how, hazard } = zombies[way];
    it(
      `${how} writes nothing, enters again under a new id and works on`,
      options,
      async (world) => {
        const { hephaestus, sql, url, inline } = world;
        await sql.unsafe(tables);
        await using zombie = child(program, url, String(inline));
        const { process } = await zombie.heard("ready");
        const handle = await hephaestus.start(hazardous, "one", { hazard });
        await eventually(async () => (await sql`select from runs`).length === 1, "the step runs");
        if (how === "was stopped") zombie.send("SIGSTOP");

        const healthy = hephaestus.work(quick);
        assertEquals((await handle.result()).status, "completed");
        await healthy.stop();
        const before = await everything(sql, handle.id);
        await sql`insert into gate values (true)`;
        if (how === "was stopped") zombie.send("SIGCONT");

        // A busy machine makes it late more than once.
        await zombie.heard(
          "The heartbeat is late",
          ({ milliseconds, lease }) => Number(milliseconds) >= 400 && lease === 400,
        );
        assertEquals((await zombie.heard("This process was declared dead")).process, process);
        const next = await hephaestus.start(hazardous, "two", { hazard: "none" });
        assertEquals((await next.result()).status, "completed");

        const [entry] = await hephaestus.history(hazardous, next);
        assertNotEquals(entry?.process, process);
        assertEquals(await everything(sql, handle.id), {
          ...before as object,
          effects: [{ key: "id::one", attempt: 2 }, { key: "id::two", attempt: 1 }],
        });
        await assertSound(sql);
      },
    );
  }, [way]);
}

onPostgres("a process that is late and was not declared dead", (it) => {
  it("says how late it was, and goes on with what it has", options, async (world) => {
    const { hephaestus, sql, url, inline } = world;
    await sql.unsafe(tables);
    await using worker = child(program, url, String(inline));
    const { process } = await worker.heard("ready");

    const handle = await hephaestus.start(hazardous, "one", { hazard: "block" satisfies Hazard });

    assertEquals((await handle.result()).status, "completed");
    assertEquals([...await sql`select attempt from effects`], [{ attempt: 1 }]);
    await worker.heard(
      "The heartbeat is late",
      (late) => Number(late.milliseconds) >= 2_000 && late.process === process,
    );
    assertEquals(worker.told.filter(({ message }) => message.includes("declared dead")), []);
  });
}, ["inline"]);
