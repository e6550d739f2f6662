import { assertEquals, assertRejects } from "@std/assert";
import type { WorkflowRewind } from "../../src/core/events.ts";
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
  order,
  returned,
  right,
  told,
} from "./failing_orders.ts";

const refused = (work: Promise<unknown>, sentence: string) =>
  assertRejects(() => work, Error, sentence);

onBackends("a rewind", (it) => {
  it("takes back a step and what it has caused, and leaves alone what runs beside it", {
    workflows: [order],
  }, async (bench) => {
    const { hephaestus, work } = bench;
    clear();
    const [late, slow, next] = [new Gate(), new Gate(), new Gate()];
    gates.set("right#1", slow).set("ships#1", late).set("ships#2", next);
    const heard: WorkflowRewind[] = [];
    hephaestus.on("workflow:rewind", (payload) => void heard.push(payload));
    await work();
    await hephaestus.start(order, "a", undefined);
    const isActive = async () => (await hephaestus.get(order, "a"))?.active.join() === "right";
    await eventually(isActive, "left has ended");
    await hephaestus.rewind(order, "a", { to: left, by: "maria", reason: "The wrong card" });
    await eventually(async () => (await told(bench, order)).includes("left#2 ok"), "again");
    slow.open();
    await eventually(() => begun.includes("ships#2 under 2"), "ships runs");
    const second = hephaestus.rewind(order, "a", { to: opens, activation: 7 });
    await refused(second, '"opens#7" has not started in it');
    next.open();
    late.open();

    assertEquals(await ends(bench, order), "completed");
    assertEquals(begun.sort(), [
      "left#1 under 1",
      "left#2 under 2",
      "opens#1 under 1",
      "right#1 under 1",
      "ships#2 under 2",
    ]);
    const row = {
      ...{ by: "maria", reason: "The wrong card", to: "left", takenBack: ["left"] },
      restarted: ["left#2"],
    };
    const history = await hephaestus.history(order, "a");
    const act = history.find(({ step }) => step === "^left");
    assertEquals([act?.event, act?.activation, act?.output], ["__rewound__", 2, row]);
    assertEquals(heard.map(({ to, by, restarted }) => [to, by, restarted]), [
      ["left", "maria", ["left#2"]],
    ]);
  });

  it("aborts what it takes back, and ignores what that still returns", {
    workflows: [order],
  }, async (bench) => {
    const { hephaestus, work, another } = bench;
    clear();
    const [late, next] = [new Gate(), new Gate()];
    gates.set("ships#1", late).set("ships#2", next);
    await work();
    await hephaestus.start(order, "a", undefined);
    await eventually(() => begun.includes("ships#1 under 1"), "ships runs");

    await another().rewind(order, "a", { to: right });
    await eventually(() => begun.includes("ships#2 under 2"), "ships runs again");
    late.open();
    await eventually(() => returned.includes("ships#1"), "the late one has returned");
    next.open();

    assertEquals(await ends(bench, order), "completed");
    const all = (await told(bench, order)).filter((text) => !/opens|left/.test(text));
    assertEquals(all.sort(), [
      "^right#2 __rewound__",
      "right#1 ok",
      "right#2 ok",
      "ships#1 __dropped__",
      "ships#2 ok",
    ]);
  });

  it("goes on with an instance that has failed, as if its step had ended otherwise", {
    workflows: [order],
  }, async (bench) => {
    const { hephaestus, work } = bench;
    clear("left");
    await work();
    await failedIn(bench, order);
    broken.clear();
    begun.length = 0;
    const outcome = { event: "ok", output: "by hand" } as const;

    await hephaestus.rewind(order, "a", { to: left, outcome, by: "maria" });

    assertEquals(await ends(bench, order), "completed");
    const history = await hephaestus.history(order, "a");
    const given = history.find(({ step, activation }) => step === "left" && activation === 2);
    assertEquals([given?.event, given?.output, given?.process], ["ok", "by hand", undefined]);
    assertEquals(begun.filter((text) => !text.startsWith("right")), ["ships#2 under 2"]);
    assertEquals((await hephaestus.get(order, "a"))?.error, undefined);
  });
});
