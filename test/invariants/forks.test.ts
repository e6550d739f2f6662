import { assertEquals } from "@std/assert";
import { onBackends } from "./backends.ts";
import { begun, clear, ends, gates, order, ships } from "./failing_orders.ts";
import { Gate } from "../everywhere.ts";

onBackends("a fork", (it) => {
  it("begins under another key with what its step has not caused", {
    workflows: [order],
  }, async (bench) => {
    const { hephaestus, work } = bench;
    clear();
    await work();
    const source = await hephaestus.start(order, "a", undefined, { tags: ["vip"] });
    await source.result();
    const before = await hephaestus.history(order, "a");
    begun.length = 0;
    const gate = new Gate();
    gates.set("ships#1", gate);

    const forked = await hephaestus.fork(order, "a", { from: ships, key: "b", by: "maria" });

    assertEquals((await hephaestus.get(order, "b"))?.tags, ["vip"]);
    gate.open();
    assertEquals((await forked.result()).status, "completed");
    assertEquals(begun, ["ships#1 under 1"]);
    const [first, second, third, act, last] = await hephaestus.history(order, "b");
    assertEquals([first, second, third].map((one) => one?.step).sort(), ["left", "opens", "right"]);
    const { id } = source;
    assertEquals([act?.event, act?.output], [
      "__forked__",
      { by: "maria", from: { id, key: "id::a" }, to: "ships", restarted: ["ships"] },
    ]);
    assertEquals(last?.output, "ships#1");
    assertEquals(await hephaestus.history(order, "a"), before);
    // What was taken over counts: it can be rewound and forked again.
    const other = await hephaestus.fork(order, "b", { from: ships, activation: 1, key: "c" });
    assertEquals((await other.result()).status, "completed");
    assertEquals(await ends(bench, order, "c"), "completed");
    assertEquals(begun.length, 2);
  });
});
