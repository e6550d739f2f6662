import {
  activeIn,
  failing,
  leaseOf,
  plain,
  recorded,
  recording,
  type Scene,
  turn,
} from "../contracts/world.ts";
import { assertEquals, assertExists } from "@std/assert";
import { done, join, step, type, workflow } from "../../mod.ts";
import { eventually, Gate } from "../everywhere.ts";
import { onBackends, onPostgresBackend } from "./backends.ts";

/** Everything that an instance is: what it holds, its story, its jobs. */
async function picture(scene: Scene, id: string) {
  const { store } = scene;
  return {
    known: plain(await scene.known(id)),
    history: (await store.history(id)).map(({ step, event, state }) => ({ step, event, state })),
    jobs: await scene.standing(id),
  };
}

onBackends("a fenced write", (it) => {
  it("from an older revision leaves nothing of what it carries", {
    workflows: [],
  }, async ({ scene }) => {
    const process = await scene.register();
    const id = await scene.open({}, {});
    const job = await scene.claimOne(process);
    await scene.store.commit(process, [turn(id, { control: activeIn("pack", "weigh") })]);
    const before = await picture(scene, id);

    const written = await scene.store.commit(process, [turn(id, {
      status: "completed",
      control: activeIn(),
      metadata: '{"late":true}',
      recorded: [recorded("pack")],
      settled: [job.id],
      started: [scene.job({ instance: id, step: "ship" })],
      resolved: [{ step: "weigh", activation: 1 }],
    })]);

    assertEquals(written.size, 0);
    assertEquals(await picture(scene, id), before);
  });

  it("of a process that was declared dead changes nothing, whichever write it is", {
    workflows: [],
  }, async ({ scene }) => {
    const { queue, store } = scene;
    const zombie = await scene.register(1_000);
    const id = await scene.open({}, {});
    const job = await scene.claimOne(zombie);
    await scene.elapse(2_000);
    const heir = await scene.register();
    assertEquals((await queue.rescue()).processes, [zombie]);
    const taken = await scene.claimOne(heir);
    assertEquals([taken.id, taken.attempt], [job.id, 2]);
    const before = await picture(scene, id);

    const lease = leaseOf(job, zombie);
    const answers = [
      await queue.heartbeat(zombie, 30_000),
      (await scene.claim(zombie)).length,
      (await store.commit(zombie, [turn(id, { recorded: [recorded("pack")], settled: [job.id] })]))
        .size,
      (await store.record([recording(job, zombie)])).size,
      await queue.retry(lease, [{ name: "Error", message: "late" }], 0),
      await queue.snooze(lease, 0),
      await queue.release([lease]),
      await store.pass([{ lease, instance: id, ignored: [] }]),
      (await store.commit(zombie, [failing(job)])).size,
    ];

    assertEquals(answers, [
      undefined,
      0,
      0,
      0,
      false,
      false,
      undefined,
      undefined,
      0,
    ]);
    assertEquals(await picture(scene, id), before);
  });
});

const gates = new Map<string, Gate>();
const branches = Array.from({ length: 20 }, (_, index) =>
  step(`branch-${index}`, {
    events: { ok: type<{ index: number }>() },
    async run({ instance, emit }) {
      await gates.get(instance.key)?.opened;
      return emit.ok({ index });
    },
  }));
const fork = step("fork", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const meet = step("meet", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const wide = branches.reduce(
  // deno-lint-ignore no-explicit-any
  (rows: any, branch) => rows.on(branch, { ok: join(meet) }),
  // deno-lint-ignore no-explicit-any
  (workflow("wide", { key: "id", input: type(), start: fork }) as any).on(fork, { ok: branches }),
).on(meet, { ok: done }).build();

onBackends("results of one instance that come in one tick", (it) => {
  it("are all applied, and the join behind them starts once", {
    workflows: [wide],
  }, async ({ hephaestus, work }) => {
    const gate = new Gate();
    gates.set("id::one", gate);
    await work({ queues: { default: 30 } });
    const handle = await hephaestus.start(wide, "one", undefined);
    await eventually(
      async () => (await hephaestus.get(wide, "one"))?.active.length === 20,
      "20 branches run",
    );

    gate.open();

    assertEquals((await handle.result()).status, "completed");
    const history = await hephaestus.history(wide, "one");
    assertEquals(history.length, 22);
    assertEquals(history.filter(({ step }) => step === "meet").length, 1);
    assertEquals(history.filter(({ state }) => state !== "applied"), []);
  });
});

onPostgresBackend("every write of an instance", (it) => {
  it("raises its revision by one, and none comes after the end", {
    workflows: [wide],
  }, async ({ hephaestus, work, sql }) => {
    await sql.unsafe(`
      create table wrong (id uuid, was int, became int, status text);
      create function watch() returns trigger language plpgsql as $$
      begin
        if new.revision <> old.revision + 1 or old.status in ('completed', 'failed', 'cancelled', 'undone') then
          insert into public.wrong values (old.id, old.revision, new.revision, old.status);
        end if;
        return new;
      end $$;
      create trigger watch before update on hephaestus.workflow_instances
        for each row execute function watch();`);
    await work({ queues: { default: 30 } });

    const handles = await Promise.all(
      Array.from({ length: 10 }, (_, n) => hephaestus.start(wide, `n${n}`, undefined)),
    );
    await hephaestus.cancel(wide, { id: handles[0]!.id }).catch(() => {});
    const ends = await Promise.all(handles.map((handle) => handle.result()));

    assertExists(ends[9]);
    assertEquals(ends.slice(1).map(({ status }) => status), Array(9).fill("completed"));
    assertEquals([...await sql`select * from wrong`], []);
  });
});

const slow = step("slow", {
  events: { ok: type() },
  retry: { base: "1ms", max: "5ms" },
  run({ tx, emit, attempt }) {
    return tx(async (sql) => {
      await sql`insert into effects (attempt) values (${String(attempt)})`;
      inside.open();
      await gates.get(`attempt ${attempt}`)?.opened;
      return emit.ok();
    });
  },
});
let inside = new Gate();
const once = workflow("once", { key: "id", input: type(), start: slow })
  .on(slow, { ok: done })
  .build();

onPostgresBackend("a transaction of a process that was declared dead", (it) => {
  it("is rolled back, though the process lives on under a new id", {
    workflows: [once],
  }, async ({ hephaestus, work, sql, backend }) => {
    await sql`create table effects (attempt text)`;
    inside = new Gate();
    const [first, second] = [new Gate(), new Gate()];
    gates.set("attempt 1", first);
    gates.set("attempt 2", second);
    const worker = await work();
    const born = worker.id;
    const handle = await hephaestus.start(once, "one", undefined);
    await inside.opened;

    // A heartbeat may come in between and prolong the lease again.
    await eventually(async () => {
      await sql`update hephaestus.processes set expires_at = now() - interval '1 s' where id = ${born}`;
      await backend.queue.rescue();
      return (await sql`select from hephaestus.processes where id = ${born}`).length === 0;
    }, "it is declared dead");
    await eventually(() => worker.id !== born, "it enters again");
    await eventually(
      async () => (await sql`select from hephaestus.jobs where attempt = 2`).length === 1,
      "the job runs a second time",
    );
    first.open();
    await eventually(
      async () =>
        (await sql`select from pg_locks where mode = 'RowExclusiveLock'
        and relation = 'effects'::regclass`).length <= 1,
      "the first transaction has ended",
    );
    second.open();
    await handle.result();

    assertEquals(await sql`select attempt from effects`.then((rows) => [...rows]), [
      { attempt: "2" },
    ]);
  });
});
