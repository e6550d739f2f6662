import { assertEquals, assertRejects } from "@std/assert";
import { again, choice, done, FatalError, join, signal, step, type, workflow } from "../../mod.ts";
import { eventually, Gate } from "../everywhere.ts";
import { onBackends } from "./backends.ts";
import {
  begun,
  broken,
  clear,
  ends,
  failedIn,
  gates,
  left,
  opens,
  ships,
  told,
} from "./failing_orders.ts";

onBackends("a step of an instance that is retried", (it) => {
  const paid = signal("paid", { events: { ok: type<string>() }, expires: "1h" });
  const parcel = step("parcel", {
    events: { arrived: type<string>() },
    async: true,
    run({ activation, emit }) {
      begun.push(`parcel#${activation}`);
      return emit.later();
    },
  });
  const agreed = signal("agreed", { events: { ok: type() } });
  const waiting = workflow("waiting", { key: "id", input: type(), start: opens })
    .on(opens, { ok: [paid, parcel, left] })
    .on(left, { ok: agreed })
    .on(agreed, { ok: join(ships) })
    .on(paid, { ok: join(ships), expired: done })
    .on(parcel, { arrived: join(ships) })
    .on(ships, { ok: done })
    .build();

  it("lets waits go on under their activation, with what came early or was scheduled", {
    workflows: [waiting],
  }, async (bench) => {
    const { hephaestus, work, scene } = bench;
    clear("left");
    const gate = new Gate();
    gates.set("left#1", gate);
    await work();
    const handle = await hephaestus.start(waiting, "a", undefined);
    await hephaestus.resume(waiting, "a", agreed.emit.ok());
    await hephaestus.scheduleResume(waiting, "a", paid.emit.ok("later"), { after: "1h" });
    const waits = async () => (await told(bench, waiting)).includes("parcel#1 __async__");
    await eventually(waits, "the parcel waits");
    gate.open();
    await handle.result();
    const jobs = async () =>
      (await scene.standing(handle.id)).filter((job) => !job.startsWith("advance"));
    assertEquals(await jobs(), [
      "execute left discarded",
      "resume paid cancelled",
      "resume paid cancelled",
    ]);
    clear();

    await hephaestus.retry(waiting, "a");
    assertEquals(await hephaestus.resume(waiting, "a", parcel.emit.arrived("here")), "accepted");

    const isLast = async () => (await hephaestus.get(waiting, "a"))?.active.join() === "paid";
    await eventually(isLast, "only the payment is left");
    assertEquals(await jobs(), ["resume paid scheduled", "resume paid scheduled"]);
    assertEquals(begun, ["left#2 under 1"]);
    await hephaestus.resume(waiting, "a", paid.emit.ok("now"));
    assertEquals(await ends(bench, waiting), "completed");
  });

  const asks = step("asks", {
    rounds: type<string>(),
    events: { more: type<string>() },
    run({ rounds, activation, emit }) {
      if (broken.has("asks") && activation === 2) throw new FatalError("asks is broken");
      return emit.more(`${activation} after ${rounds.length} (${rounds.at(-1)?.[0] ?? "none"})`);
    },
  });
  const agent = workflow("agent", { key: "id", input: type(), start: asks })
    .on(asks, { more: again(asks, { limit: 3, then: done }) })
    .build();

  it("counts the rounds of a loop on, and gives the next ones activations of their own", {
    workflows: [agent],
  }, async (bench) => {
    clear("asks");
    await bench.work();
    await failedIn(bench, agent);

    await bench.hephaestus.retry(agent, "a");

    assertEquals(await ends(bench, agent), "completed");
    const history = await bench.hephaestus.history(agent, "a");
    assertEquals(history.filter(({ event }) => event === "more").map(({ output }) => output), [
      "1 after 0 (none)",
      "3 after 1 (1)",
      "4 after 2 (3)",
    ]);
  });

  const decides = choice("decides", {
    needs: [opens.when("ok")],
    events: { ok: type() },
    decide({ steps, emit }) {
      if (broken.has("decides")) throw new Error(`cannot decide on ${steps.opens}`);
      return emit.ok();
    },
  });
  const deciding = workflow("deciding", { key: "id", input: type(), start: opens })
    .on(opens, { ok: [decides, left] })
    .on(decides, { ok: join(ships) })
    .on(left, { ok: join(ships) })
    .on(ships, { ok: done })
    .build();

  it("lets a choice that threw decide again, and changes nothing if it throws again", {
    workflows: [deciding],
  }, async (bench) => {
    const { hephaestus, scene } = bench;
    clear("decides");
    await bench.work();
    const id = await failedIn(bench, deciding);
    const before = [await told(bench, deciding), await hephaestus.get(deciding, "a")];

    await assertRejects(
      () => hephaestus.retry(deciding, "a"),
      Error,
      'Cannot retry deciding "id::a": choice "decides" failed again. cannot decide on opens#1',
    );
    assertEquals([await told(bench, deciding), await hephaestus.get(deciding, "a")], before);
    assertEquals(await scene.standing(id), []);
    clear();
    await hephaestus.retry(deciding, "a");

    assertEquals(await ends(bench, deciding), "completed");
  });
});
