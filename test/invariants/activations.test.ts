import { assertEquals } from "@std/assert";
import { done, join, signal, step, timer, type, workflow } from "../../mod.ts";
import { eventually } from "../everywhere.ts";
import { newId } from "../contracts/world.ts";
import { onBackends } from "./backends.ts";

const keys: string[] = [];
const pack = step("pack", {
  events: { ok: type<{ boxes: number }>() },
  run({ emit, idempotencyKey }) {
    keys.push(idempotencyKey);
    return emit.ok({ boxes: 2 });
  },
});
const doubt = step("doubt", {
  events: { ok: type() },
  retry: { attempts: 1 },
  run: () => Promise.reject(new Error("never")),
});
const wait = timer("wait", "1ms");
const approval = signal("approval", { events: { yes: type<{ by: string }>() } });
const ship = step("ship", {
  needs: [pack.when("ok"), approval.when("yes")],
  sees: [wait.when("elapsed")],
  events: { ok: type<{ boxes: number; by: string }>() },
  run: ({ steps, emit }) => emit.ok({ boxes: steps.pack.boxes, by: steps.approval.by }),
});
const fork = step("fork", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const order = workflow("order", { key: "orderid", input: type(), start: fork })
  .on(fork, { ok: [pack, wait, approval] })
  .on(pack, { ok: join(ship) })
  .on(wait, { elapsed: join(ship) })
  .on(approval, { yes: join(ship) })
  .on(ship, { ok: done })
  .build();
const doubtful = workflow("order", { key: "orderid", input: type(), start: doubt, version: 2 })
  .on(doubt, { ok: done })
  .build();

onBackends("an instance whose steps run under another activation than the first", (it) => {
  it("goes on under it: in results, causes, outputs, timers and deliveries", {
    workflows: [order],
  }, async ({ hephaestus, work, scene }) => {
    const id = newId();
    const control =
      '{"active":{"pack":"fork#3@3","wait":"fork#3@3","approval":"fork#3@3"},"activations":{"fork":3}}';
    await scene.open(
      { id, control, graph: order.fingerprint, key: `orderid::${id}` },
      { step: "pack", activation: 3 },
      { step: "wait", activation: 3, kind: "resume", args: '{"event":"elapsed"}' },
    );
    await work();
    await eventually(
      async () => (await hephaestus.history(order, { id })).length === 2,
      "pack and wait have ended",
    );
    await hephaestus.resume(order, { id }, approval.emit.yes({ by: "maria" }));

    const end = await (await hephaestus.handle(order, { id }))!.result();

    assertEquals(end.status, "completed");
    const history = await hephaestus.history(order, { id });
    assertEquals(
      history.map(({ step, activation }) => `${step} ${activation}`).sort(),
      ["approval 3", "pack 3", "ship 1", "wait 3"],
    );
    assertEquals(history.at(-1)?.output, { boxes: 2, by: "maria" });
    assertEquals(keys.at(-1), `${id}/pack/3`);
    const outputs = await scene.store.ended(id, undefined);
    const causes = new Map(outputs.map(({ step, causes }) => [step, causes]));
    assertEquals(causes.get("pack"), ["fork#3"]);
    assertEquals(causes.get("ship"), ["pack#3", "wait#3", "approval#3"]);
  });

  it("fails under it", { workflows: [order, doubtful] }, async ({ hephaestus, work, scene }) => {
    const id = newId();
    const of = { version: 2, workflow: "order" };
    await scene.open(
      { ...of, id, control: '{"active":{"doubt":"@2"}}', graph: doubtful.fingerprint },
      { ...of, step: "doubt", activation: 2, maxAttempts: 1 },
    );
    await work();

    const end = await (await hephaestus.handle(doubtful, { id }))!.result();

    assertEquals([end.status, end.error?.message], ["failed", "never"]);
    const [failed] = await hephaestus.history(doubtful, { id });
    assertEquals([failed?.event, failed?.activation], ["__failed__", 2]);
  });
});
