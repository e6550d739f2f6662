import { assert, assertEquals } from "@std/assert";
import type { HistoryEntry } from "../../mod.ts";
import { eventually, everywhere } from "../everywhere.ts";
import {
  confirmed,
  hurried,
  order,
  quickly,
  refunds,
  stop,
  stopped,
  workflows,
} from "./workflows.ts";

const told = (history: readonly HistoryEntry[]) =>
  history.map(({ step, activation, event, output }) =>
    event === "failed" ? [step, event] : [step + activation, event, output]
  );

everywhere("a child", (it) => {
  it("ends its step with what it returns", { workflows }, async ({ hephaestus, work }) => {
    await work();
    const handle = await hephaestus.start(order, "a", "pay");

    assertEquals((await handle.result()).status, "completed");

    const { items: [child] } = await hephaestus.list(refunds, { parent: handle.id });
    assert(child);
    assertEquals(child.key, `refundid::${handle.id}/refund`);
    assertEquals(child.parent, { instance: handle.id, step: "refund", activation: 1 });
    assertEquals(told(await hephaestus.history(order, "a")), [
      ["refund1", "__async__", { child: child.id }],
      ["refund1", "refunded", { cents: 500 }],
      ["told1", "ok", 500],
    ]);
  });

  it(
    "gives failed when it fails, undoes, is cancelled or deleted",
    { workflows },
    async (world) => {
      const { hephaestus, work } = world;
      await work();
      const started = await hephaestus.startMany(order, [
        { key: "fail", input: "fail" },
        { key: "undo", input: "undo" },
        { key: "cancel", input: "wait" },
        { key: "delete", input: "wait" },
      ]);
      const childOf = async (at: number) => {
        const parent = started[at]!.id;
        const found = async () => (await hephaestus.list(refunds, { parent })).items[0];
        await eventually(async () => await found() !== undefined, "the child has started");
        return { id: (await found())!.id };
      };
      await hephaestus.cancel(refunds, await childOf(2));
      await hephaestus.deleteInstance(refunds, await childOf(3), { force: true });

      const codes = ["CHILD_FAILED", "CHILD_UNDONE", "CHILD_CANCELLED", "CHILD_GONE"];
      for (const [at, code] of codes.entries()) {
        assertEquals((await started[at]!.result()).status, "completed");
        const history = await hephaestus.history(order, { id: started[at]!.id });
        assertEquals(history.at(-1)?.output, `${code} 1`);
      }
      const [, failed] = await hephaestus.history(order, "fail");
      const { message, cause } = failed!.output as { message: string; cause: { message: string } };
      assert(message.endsWith("is failed. The bank said no"), message);
      assertEquals(cause.message, "The bank said no");
    },
  );

  it(
    "is cancelled when its step is withdrawn, unless it is detached",
    { workflows },
    async (world) => {
      const { hephaestus, work } = world;
      await work();
      const ways: Record<string, () => Promise<unknown>> = {
        drop: () => hephaestus.resume(stopped, "drop", stop.emit.now()),
        undo: () => hephaestus.resume(stopped, "undo", stop.emit.undo()),
        cancel: () => hephaestus.cancel(stopped, "cancel"),
      };
      for (const [key, withdraw] of Object.entries(ways)) {
        const handle = await hephaestus.start(stopped, key, "wait");
        const children = async () => {
          const { items } = await hephaestus.list(refunds, { parent: handle.id });
          return Object.fromEntries(
            items.map(({ id, parent, status }) => [parent!.step, { id, status }]),
          );
        };
        await eventually(
          async () => Object.keys(await children()).length === 2,
          "both have started",
        );
        await withdraw();
        await eventually(
          async () => (await children())["refund"]?.status === "cancelled",
          `the child is cancelled after ${key}`,
        );
        const { detached } = await children();
        assertEquals(detached?.status, "waiting");
        await hephaestus.resume(refunds, { id: detached!.id }, confirmed.emit.yes("x"));
        await eventually(
          async () => (await children())["detached"]?.status === "completed",
          "the detached child goes on",
        );
      }
    },
  );

  it("may end in its first turn", { workflows }, async ({ hephaestus, work }) => {
    await work();
    const handle = await hephaestus.start(quickly, "a", undefined);
    assertEquals((await handle.result()).status, "completed");
  });

  it("is refused a key that another instance has", { workflows }, async ({ hephaestus, work }) => {
    await hephaestus.start(refunds, "fixed", { how: "wait", cents: 1 });
    await work();
    const handle = await hephaestus.start(hurried, "a", "wait");
    assertEquals((await handle.result()).status, "completed");
    assertEquals(
      (await hephaestus.history(hurried, "a")).at(-1)?.output,
      'CHILD_KEY_TAKEN: Cannot start the child of step "limited": another instance of workflow "refund" has the key "fixed"',
    );
  });

  it(
    "starts anew when its failed parent is retried",
    { workflows },
    async ({ hephaestus, work }) => {
      await work();
      const handle = await hephaestus.start(stopped, "a", "fail");
      assertEquals((await handle.result()).status, "failed");
      await hephaestus.retry(stopped, "a", { by: "maria" });
      const steps = async () =>
        (await hephaestus.list(refunds, { parent: handle.id })).items
          .map(({ parent }) => `${parent!.step}${parent!.activation}`).sort();
      await eventually(async () => (await steps()).includes("refund2"), "the child starts anew");
    },
  );
});
