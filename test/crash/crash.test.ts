import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { assert, assertEquals } from "@std/assert";
import type { Sql } from "postgres";
import { eventually, onPostgres } from "../everywhere.ts";
import { assertSound } from "../invariants/story.ts";
import { root, runtime } from "../programs.ts";
import { crashing } from "./workflow.ts";

/** A worker process that works already. Killed when disposed. */
async function child(...args: readonly string[]): Promise<ChildProcess & Disposable> {
  const started = spawn(process.execPath, [...runtime, "test/crash/worker.ts", ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise<void>((resolve, reject) => {
    started.once("error", reject);
    started.once("exit", (code) => reject(new Error(`The worker ended with ${code}`)));
    started.stdout.once("data", () => resolve());
  });
  return Object.assign(started, { [Symbol.dispose]: () => void started.kill("SIGKILL") });
}

const ended = (worker: ChildProcess) =>
  new Promise<number | null>((resolve) => worker.once("exit", (code) => resolve(code)));

function executing(sql: Sql): Promise<number> {
  return sql`select from hephaestus.jobs where state = 'executing' and step = 'reserve'`.then((
    rows,
  ) => rows.length);
}

const options = { workflows: [crashing] };

onPostgres("a worker process that is killed", (it) => {
  it(
    "is taken over: all complete, each result is recorded once, each effect is there once",
    options,
    async (world) => {
      const { hephaestus, inline, sql, url } = world;
      await sql`create table effects (key text, step text)`;
      const handles = await Promise.all(
        Array.from({ length: 20 }, (_, n) => hephaestus.start(crashing, `n${n}`, { takes: 40 })),
      );
      for (let kills = 0; kills < 2; kills++) {
        using worker = await child(url, String(inline));
        await eventually(async () => await executing(sql) > 0, "steps run");
        const gone = ended(worker);
        worker.kill("SIGKILL");
        await gone;
        assert(await executing(sql) > 0, "it was killed in the middle");
      }

      const worker = hephaestus.work({ poll: "50ms", lease: "400ms", heartbeat: "100ms" });
      await worker.ready;
      for (const handle of handles) {
        const end = await handle.result();
        assertEquals(end.status, "completed");
        const history = await hephaestus.history(crashing, { id: end.id });
        assertEquals(history.map(({ step }) => step).sort(), [
          "nap",
          "reserve",
          "ship",
          "split",
          "weigh",
        ]);
      }
      const effects = await sql`select key, step from effects group by 1, 2 having count(*) = 1`;
      assertEquals([effects.length, (await sql`select from effects`).length], [40, 40]);
      await assertSound(sql);
    },
  );
});

onPostgres("a worker process that is asked to stop", (it) => {
  it("gives a long step back, and its attempt is not used up", options, async (world) => {
    const { hephaestus, inline, sql, url } = world;
    await sql`create table effects (key text, step text)`;
    using worker = await child(url, String(inline));
    const handle = await hephaestus.start(crashing, "long", { takes: 600_000 });
    await eventually(async () => await executing(sql) === 1, "the step runs");

    const gone = ended(worker);
    worker.kill("SIGTERM");
    await gone;

    const jobs = await sql`select state, attempt from hephaestus.jobs
      where instance_id = ${handle.id} and step = 'reserve'`;
    assertEquals([...jobs], [{ state: "available", attempt: 0 }]);
    assertEquals((await sql`select from hephaestus.processes`).length, 0);
  });
});

onPostgres("a worker process whose clock is wrong by a day", (it) => {
  for (const days of ["1", "-1"]) {
    it(`does all at the database's time (${days} d)`, options, async (world) => {
      const { hephaestus, inline, sql, url } = world;
      await sql`create table effects (key text, step text)`;
      const other = hephaestus.work({
        poll: "50ms",
        lease: "2s",
        heartbeat: "500ms",
        queues: { x: 1 },
      });
      await other.ready;
      using worker = await child(url, String(inline), days);
      assert(worker.pid);

      const handle = await hephaestus.start(crashing, "one", { takes: 5 });

      assertEquals((await handle.result()).status, "completed");
      const [row] = await sql`
        select (select max(applied_revision) from hephaestus.step_results) as last,
          (select inserted_at from hephaestus.step_results where step_ref = 'nap')
            - (select max(inserted_at) from hephaestus.step_results
              where step_ref in ('reserve', 'weigh')) >= interval '99 ms' as waited,
          (select max(inserted_at) from hephaestus.step_results) <= now() as past,
          (select count(*)::int from hephaestus.processes) as alive`;
      assertEquals([row?.waited, row?.past, row?.alive], [true, true, 2]);
    });
  }
});
