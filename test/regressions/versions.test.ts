import { assertEquals, assertRejects } from "@std/assert";
import { done, signal, step, type, UnknownWorkflowError, versioned, workflow } from "../../mod.ts";
import { eventually, everywhere } from "../everywhere.ts";

const input = type<{ readonly beta?: boolean }>();
const approval = signal("approval", { events: { approved: type() } });
const finish = (as: string) =>
  step("finish", { events: { ok: type<string>() }, run: ({ emit }) => emit.ok(as) });
const flow = (as: string) => {
  const last = finish(as);
  return workflow("flow", { key: "id", input, start: approval })
    .on(approval, { approved: last })
    .on(last, { ok: done })
    .build();
};
const [v1, v2, v3] = [flow("v1"), flow("v2"), flow("v3")];

everywhere("a version", (it) => {
  const all = versioned("flow", {
    versions: { 1: v1, 2: v2, 3: v3 },
    current: 2,
    pick: ({ input }) => (input as { readonly beta?: boolean }).beta ? 3 : undefined,
  });

  it("is the one asked for, else the one picked, else the current one, and stays", {
    workflows: [all],
  }, async ({ hephaestus, work }) => {
    await work();
    const asked = await hephaestus.start(all, "asked", { beta: true }, { version: 1 });
    const picked = await hephaestus.start(all, "picked", { beta: true });
    const current = await hephaestus.start(all, "current", {});
    const unknown = () => hephaestus.start(all, "unknown", {}, { version: 4 });
    const error = await assertRejects(unknown, UnknownWorkflowError);
    assertEquals(
      error.message,
      'Cannot find version 4 of workflow "flow": registered versions are 1, 2, 3',
    );

    for (const { id } of [asked, picked, current]) {
      await hephaestus.resume(all, { id }, approval.emit.approved());
    }

    for (const [handle, version] of [[asked, 1], [picked, 3], [current, 2]] as const) {
      assertEquals(handle.version, version);
      assertEquals((await handle.result()).version, version);
      const last = (await hephaestus.history(all, handle)).at(-1);
      assertEquals(last?.output, `v${version}`);
    }
    assertEquals((await hephaestus.list(all, { version: 3 })).items.map(({ id }) => id), [
      picked.id,
    ]);
  });

  const old = versioned("flow", { versions: { 1: v1 }, current: 1 });
  const next = versioned("flow", { versions: { 2: v2 }, current: 2 });

  it(
    "is worked on by the processes that have its code, side by side",
    { workflows: [old] },
    async ({
      hephaestus,
      work,
      another,
    }) => {
      const later = another({ workflows: [next] });
      const ran: string[] = [];
      hephaestus.on("step:start", ({ version }) => void ran.push(`old runs ${version}`));
      later.on("step:start", ({ version }) => void ran.push(`new runs ${version}`));
      const one = await hephaestus.start(old, "one", {});
      const two = await hephaestus.start(next, "two", {});
      await hephaestus.resume(old, "one", approval.emit.approved());
      await later.resume(next, "two", approval.emit.approved());

      await later.work({ poll: "100ms" }).ready;
      assertEquals((await two.result()).version, 2);
      assertEquals((await hephaestus.get(old, "one"))?.active, ["approval"]);
      await work();
      assertEquals((await one.result()).version, 1);

      assertEquals(ran, ["new runs 2", "old runs 1"]);
    },
  );

  it(
    "that nobody has the code of is told to the log, and left alone",
    { workflows: [next] },
    async ({
      hephaestus,
      another,
    }) => {
      const warnings: string[] = [];
      const logger = {
        debug() {},
        info() {},
        warn: (text: string) => void warnings.push(text),
        error() {},
      };
      const older = another({ workflows: [old], logger });
      await hephaestus.start(next, "a", {});
      await hephaestus.resume(next, "a", approval.emit.approved());

      await older.work({ poll: "20ms", heartbeat: "20ms", lease: "40ms" }).ready;

      const sentence =
        'No live process has the code of workflow "flow" version 2: 1 job is due in queue "default", for example workflow "flow"';
      await eventually(() => warnings.includes(sentence), "the log names the version");
      assertEquals((await hephaestus.get(next, "a"))?.active, ["approval"]);
    },
  );
});
