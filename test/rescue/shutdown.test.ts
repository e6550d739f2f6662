import process from "node:process";
import { describe, it as nodeIt } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { Hephaestus } from "../../mod.ts";
import { memory } from "../../src/testing/mod.ts";
import { eventually, onPostgres, silent } from "../everywhere.ts";
import { assertSound } from "../invariants/story.ts";
import { child } from "./child.ts";
import { hazardous, tables } from "./hazards.ts";

const options = { workflows: [hazardous] };
const program = "test/rescue/worker.ts";

onPostgres("a host that is asked to stop", (it) => {
  it("lets a short step end, begins no other, and leaves", options, async (world) => {
    const { hephaestus, sql, url, inline } = world;
    await sql.unsafe(tables);
    await using host = child(program, url, String(inline), "60000");
    await host.heard("listens to signals");
    const short = await hephaestus.start(hazardous, "short", { hazard: "gate" });
    await eventually(async () => (await sql`select from runs`).length === 1, "it runs");
    const next = await hephaestus.start(hazardous, "next", { hazard: "none" });

    host.send("SIGTERM");
    await host.heard("asked to stop");
    await sql`insert into gate values (true)`;

    assertEquals(await host.ended, 0);
    const entries = await sql`select key, attempt from effects`;
    assertEquals([...entries], [{ key: "id::short", attempt: 1 }]);
    if (inline) assertEquals((await short.result()).status, "completed");
    const [job] = await sql`select state, attempt from hephaestus.jobs
      where instance_id = ${next.id}`;
    assertEquals([job?.state, job?.attempt], ["available", 0]);
    assertEquals((await sql`select from hephaestus.processes`).length, 0);
  });

  it("gives a long step back that ignores its signal, at the end of its grace", options, async (
    world,
  ) => {
    const { hephaestus, sql, url, inline, work } = world;
    await sql.unsafe(tables);
    await using host = child(program, url, String(inline), "300");
    await host.heard("listens to signals");
    const handle = await hephaestus.start(hazardous, "long", { hazard: "gate" });
    await eventually(async () => (await sql`select from runs`).length === 1, "it runs");

    host.send("SIGTERM");

    assertEquals(await host.ended, 0);
    const [job] = await sql`select state, attempt from hephaestus.jobs
      where instance_id = ${handle.id}`;
    assertEquals([job?.state, job?.attempt], ["available", 0]);
    await work();
    assertEquals((await handle.result()).status, "completed");
    assertEquals([...await sql`select attempt from effects`], [{ attempt: 1 }]);
    await assertSound(sql);
  });

  it("gives it back at once when it is asked a second time", options, async (world) => {
    const { hephaestus, sql, url, inline } = world;
    await sql.unsafe(tables);
    await using host = child(program, url, String(inline), "600000");
    await host.heard("listens to signals");
    const handle = await hephaestus.start(hazardous, "long", { hazard: "gate" });
    await eventually(async () => (await sql`select from runs`).length === 1, "it runs");

    host.send("SIGTERM");
    await host.heard("asked to stop");
    host.send("SIGTERM");

    assertEquals(await host.ended, 0);
    const [job] = await sql`select state, attempt from hephaestus.jobs
      where instance_id = ${handle.id}`;
    assertEquals([job?.state, job?.attempt], ["available", 0]);
    assertEquals((await sql`select from hephaestus.processes`).length, 0);
  });
});

describe("an engine", () => {
  nodeIt("leaves the signals of its process to the host", async () => {
    const signals = ["SIGTERM", "SIGINT", "exit", "uncaughtException", "unhandledRejection"];
    const heard = () => signals.map((signal) => process.listenerCount(signal));
    const before = heard();
    await using hephaestus = new Hephaestus({
      backend: memory(),
      workflows: [hazardous],
      logger: silent,
    });
    const worker = hephaestus.work();
    await worker.ready;

    assertEquals(heard(), before);
    assert(worker.id !== "");
  });
});
