import { describe, it } from "node:test";
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { done, Hephaestus, join, signal, step, timer, type, workflow } from "../../mod.ts";
import { postgresBackend } from "../../src/postgres/backend.ts";
import { connect } from "../../src/postgres/driver/connect.ts";
import { examine, repair } from "../../src/postgres/doctor/doctor.ts";
import { eventually, silent } from "../everywhere.ts";
import { database } from "../pg.ts";
import { reused, type ReusedDatabase } from "../reused.ts";
import { hephaestus as command } from "./command.ts";
import { plants } from "./plants.ts";

const ok = { events: { ok: type() } };
const first = step("first", { ...ok, run: ({ emit }) => emit.ok() });
const left = step("left", {
  ...ok,
  retry: { base: "1ms" },
  run({ attempt, emit }) {
    if (attempt === 1) throw new Error("Once more");
    return emit.ok();
  },
});
const right = signal("right", { ...ok, expires: "1h" });
const nap = timer("nap", "5ms");
const last = step("last", { ...ok, run: ({ emit }) => emit.ok() });
const sick = workflow("sick", { key: "id", input: type(), start: first })
  .on(first, { ok: [left, right, nap] })
  .on(left, { ok: join(last) })
  .on(right, { ok: join(last), expired: join(last) })
  .on(nap, { elapsed: join(last) })
  .on(last, { ok: done })
  .build();

function engine({ connections }: ReusedDatabase): Hephaestus {
  return new Hephaestus({ connections, workflows: [sick], logger: silent });
}

const quick = { again: 5 };

describe("hephaestus doctor", () => {
  for (const { rule, where = "", also = [], repaired, sentence, plant } of plants) {
    const place = where === "" ? "" : ` ${where}`;
    it(`finds what breaks the rule "${rule}"${place}${repaired ? " and repairs it" : ""}`, async () => {
      await using t = await reused();
      await using hephaestus = engine(t);
      await using db = disposable(t.url);
      const { id } = await hephaestus.start(sick, "a", undefined);
      assertEquals((await examine(db, "hephaestus", quick)).violations, []);

      await plant(t.sql, id);
      const found = await examine(db, "hephaestus", quick);

      assertEquals(
        found.violations.map((violation) => violation.rule).sort(),
        [rule, ...also].sort(),
      );
      const [violation] = found.violations.filter((violation) => violation.rule === rule);
      assertMatch(violation?.sentence ?? "", sentence);
      assertEquals(violation?.repairable, repaired !== undefined);
      assertEquals((await repair(db, "hephaestus", found.violations)).size, repaired ? 1 : 0);
      if (repaired === undefined) return;
      const after = await examine(db, "hephaestus", quick);
      assertEquals(after.violations.map((violation) => violation.rule), also);
      if (repaired === "in place") return;
      await using worker = hephaestus.work({ poll: "50ms" });
      await worker.ready;
      await hephaestus.resume(sick, { id }, right.emit.ok());
      assertEquals((await (await hephaestus.handle(sick, { id }))?.result())?.status, "completed");
      const rest = await examine(db, "hephaestus", quick);
      assertEquals(rest.violations.map((violation) => violation.rule), also);
    });
  }

  it("finds nothing wrong where the first round is undone, after a later one", async () => {
    await using t = await reused();
    await using hephaestus = engine(t);
    await using db = disposable(t.url);
    await hephaestus.start(sick, "a", undefined);
    await t.sql`update hephaestus.jobs set step = '~first'`;
    const undo = { step: "last", event: "no", status: "undone" };
    const control = { active: { "~first": "first" }, activations: { "~first": 2 }, undo };
    await t.sql`update hephaestus.workflow_instances
      set status = 'undoing', control = ${t.sql.json(control)}`;

    assertEquals((await examine(db, "hephaestus", quick)).violations, []);
  });

  it("finds nothing while two processes work", async () => {
    await using t = await reused();
    await using hephaestus = engine(t);
    await using other = engine(t);
    await using db = disposable(t.url);
    const workers = [hephaestus, other].map((each) =>
      each.work({ poll: "50ms", heartbeat: "50ms" })
    );
    await Promise.all(workers.map(({ ready }) => ready));
    const items = Array.from({ length: 300 }, (_, n) => ({ key: `n${n}`, input: undefined }));
    const handles = await hephaestus.startMany(sick, items);
    const deliveries = Promise.all(
      handles.map(({ id }, n) =>
        (n % 2 ? other : hephaestus).resume(sick, { id }, right.emit.ok())
      ),
    );

    const open = async () =>
      (await t.sql`select from hephaestus.workflow_instances where finished_at is null`).length;
    let looks = 0;
    await eventually(async () => {
      assertEquals(await examine(db, "hephaestus", { again: 0 }), { violations: [], counts: {} });
      looks++;
      return looks >= 5 && await open() === 0;
    }, "all complete");
    await deliveries;
  });

  it("tells each violation in a line, at most so many, and repairs them when told", async () => {
    await using t = await reused();
    await using hephaestus = engine(t);
    const clean = await command(["doctor"], t.url);
    assertEquals(clean, { code: 0, out: 'no violations in schema "hephaestus"\n', error: "" });
    for (const key of ["a", "b", "c"]) await hephaestus.start(sick, key, undefined);
    await t.sql`update hephaestus.jobs set state = 'executing', process_id = 99, attempt = 1`;

    const told = await command(["doctor", "--limit", "2"], t.url);
    assertEquals(told.code, 1);
    const [one = "", two = "", more] = told.out.split("\n");
    for (const line of [one, two]) {
      assertMatch(
        line,
        /^unowned: Job \d+ is executing, but its process 99 does not exist \(sick "[abc]", step "first"\) \(--repair can fix it\)$/,
      );
    }
    assertEquals(more, "unowned: and 1 more");

    const repaired = await command(["doctor", "--repair", "--json"], t.url);
    assertEquals(repaired.code, 1);
    const { violations, counts } = JSON.parse(repaired.out);
    assertEquals(counts, { unowned: 3 });
    assertEquals(violations.length, 3);
    assertEquals(violations[0].repaired, true);
    assertEquals(Object.keys(violations[0]).sort(), [
      "instance",
      "job",
      "process",
      "repairable",
      "repaired",
      "rule",
      "sentence",
      "step",
      "subject",
    ]);
    assertEquals((await command(["doctor"], t.url)).code, 0);
  });

  it("names workflow, key and step of an instance that nothing drives", async () => {
    await using t = await reused();
    await using hephaestus = engine(t);
    await hephaestus.start(sick, "abc123", undefined);
    await t.sql`delete from hephaestus.jobs`;

    const { out } = await command(["doctor"], t.url);

    assertMatch(
      out,
      /^undriven: Instance .* is pending, but no job runs any of its steps \(sick "abc123", step "first"\)\n$/,
    );
  });

  it("tells of due jobs that no living process can take, and finds nothing wrong with them", async () => {
    await using t = await reused();
    await using hephaestus = engine(t);
    await hephaestus.start(sick, "a", undefined);
    const sentence =
      'No live process serves queue "default": 1 job is due, for example step "first" of "sick"';

    const { code, out } = await command(["doctor"], t.url);
    const { unserved } = JSON.parse((await command(["doctor", "--json"], t.url)).out);

    assertEquals(code, 0);
    assertEquals(out, `no violations in schema "hephaestus"\nunserved: ${sentence}\n`);
    assertEquals(unserved, [sentence]);
  });

  it("tells of open instances whose graph no living process has", async () => {
    await using t = await reused();
    await using hephaestus = engine(t);
    await hephaestus.start(sick, "a", undefined);
    await using backend = postgresBackend({ connections: t.connections });
    const serving = (graph: string) => ({
      queues: ["default"],
      workflows: [{ workflow: "sick", version: 1, graph }],
    });
    await backend.queue.register("changed", 60_000, serving("1"));

    const changed = await command(["doctor"], t.url);
    await backend.queue.register("as it was", 60_000, serving(sick.fingerprint));
    const served = await command(["doctor"], t.url);

    assertEquals(
      changed.out,
      'no violations in schema "hephaestus"\nunserved: No live process has the graph that ' +
        '1 open instance of workflow "sick" version 1 started with\n',
    );
    assertEquals([changed.code, served.out], [0, 'no violations in schema "hephaestus"\n']);
  });

  it("refuses what it cannot do with a sentence", async () => {
    await using t = await database();
    const cases = [
      [["doctor", "now"], 2, 'Cannot run "doctor now": unexpected argument "now"'],
      [
        ["doctor", "--limit", "0"],
        2,
        'Cannot run "doctor": --limit must be a number from 1 to 999999, got "0"',
      ],
      [["doctor"], 1, "migrate"],
    ] as const;
    for (const [args, expected, sentence] of cases) {
      const { code, out, error } = await command(args, t.url);
      assertEquals([code, out], [expected, ""]);
      assertStringIncludes(error, sentence);
    }
  });
});

function disposable(url: string): ReturnType<typeof connect> & AsyncDisposable {
  const db = connect({ url, max: 1 });
  return Object.assign(db, { [Symbol.asyncDispose]: () => db.close() });
}
