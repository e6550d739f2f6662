import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { emptyControl } from "../../../src/core/engine/control.ts";
import { graph } from "../../../src/core/graph/graph.ts";
import { decode } from "../../../src/core/value/json.ts";
import { Graphs } from "../../../src/runner/graphs.ts";
import { load, OutputCache } from "../../../src/runner/run/inputs.ts";
import { InstanceCache } from "../../../src/runner/turn/instance_cache.ts";
import { Registry } from "../../../src/runner/registry.ts";
import type { InstanceState } from "../../../src/backend/store.ts";
import { silent } from "../../everywhere.ts";

const anyGraph = new Graphs({ compare: () => Promise.resolve([]) }, new Registry([]), silent);
const large = JSON.stringify({ text: "x".repeat(10_000) });

const known = (id: string, more: Partial<InstanceState> = {}): InstanceState => ({
  id,
  workflow: "w",
  version: 1,
  graph: undefined,
  key: `id::${id}`,
  revision: 1,
  status: "running",
  control: emptyControl,
  metadata: {},
  tags: [],
  input: decode(large),
  insertedAt: new Date(0),
  ...more,
});

/** A store that holds so many instances, and tells how many it was asked for at a time. */
function store(
  count: number,
  input?: unknown,
): { read(ids: readonly string[]): Promise<readonly InstanceState[]>; asked: number[] } {
  const asked: number[] = [];
  const ids = new Set(Array.from({ length: count }, (_, at) => `${at}`));
  return {
    asked,
    read(wanted) {
      asked.push(wanted.length);
      return Promise.resolve(
        wanted.filter((id) => ids.has(id)).map((id) =>
          known(id, input === undefined ? {} : { input })
        ),
      );
    },
  };
}

const held = (instances: InstanceCache, count: number) =>
  Array.from({ length: count }, (_, at) => `${at}`).filter((id) => instances.get(id) !== undefined);

describe("the instances that a process remembers", () => {
  it("take no more room than they may, and the newest ones stay", () => {
    const instances = new InstanceCache(store(0), anyGraph, { instances: 100, characters: 35_000 });
    for (let id = 0; id < 10; id++) instances.set(known(`${id}`));

    assertEquals(held(instances, 10), ["7", "8", "9"]);
  });

  it("are as many as there may be when they are small", () => {
    const instances = new InstanceCache(store(0), anyGraph, { instances: 4, characters: 35_000 });
    for (let id = 0; id < 10; id++) instances.set(known(`${id}`, { input: 1 }));

    assertEquals(held(instances, 10), ["6", "7", "8", "9"]);
  });

  it("hold one output of each step, however often a loop runs it", () => {
    const outputs = new OutputCache();
    for (let activation = 1; activation <= 1_000; activation++) {
      outputs.set({ step: "a", activation, event: "ok", output: "y".repeat(100) });
    }
    outputs.set({ step: "a", activation: 999, event: "ok", output: "late" });

    assertEquals(outputs.get({ step: "a", activation: 1_000 })?.output, "y".repeat(100));
    assertEquals(outputs.get({ step: "a", activation: 999 }), undefined);
    assert(outputs.weight < 1_000, `${outputs.weight}`);
  });

  it("do not hide what an older state reads when they hold a later round", async () => {
    const outputs = new OutputCache();
    outputs.set({ step: "a", activation: 2, event: "ok", output: "second" });
    const row = { step: "a", activation: 1, event: "ok", output: "first", causes: [] };

    const loaded = await load(
      { ended: () => Promise.resolve([row]), endedBetween: () => Promise.resolve([]) },
      graph([]),
      { id: "1", control: emptyControl },
      outputs,
      ["a"],
    );

    assertEquals(loaded.latest(emptyControl, "a")?.output, "first");
    assertEquals(loaded.get({ step: "a", activation: 2 })?.output, "second");
    assertEquals(outputs.get({ step: "a", activation: 2 })?.output, "second");
  });

  it("count outputs and metadata too, and what was forgotten no more", () => {
    const instances = new InstanceCache(store(0), anyGraph, { instances: 100, characters: 45_000 });
    for (let id = 0; id < 3; id++) instances.set(known(`${id}`));
    instances.get("2")!.outputs.set({
      step: "a",
      activation: 1,
      event: "ok",
      output: "y".repeat(10_000),
    });
    instances.set(known("2", { revision: 2 }));
    assertEquals(held(instances, 3), ["0", "1", "2"]);

    instances.set(
      known("2", { revision: 3, metadata: decode(large) as InstanceState["metadata"] }),
    );
    assertEquals(held(instances, 3), ["1", "2"]);

    instances.forget("1");
    instances.forget("2");
    for (let id = 3; id < 7; id++) instances.set(known(`${id}`));
    assertEquals(held(instances, 7), ["3", "4", "5", "6"]);
  });

  it("keep one that is larger than all the room, and leave offers away", () => {
    const instances = new InstanceCache(store(0), anyGraph, { instances: 100, characters: 5_000 });
    instances.set(known("0"));
    instances.offer(known("1"));

    assertEquals(held(instances, 2), ["0"]);
  });

  const numbers = (count: number) => Array.from({ length: count }, (_, at) => `${at}`);

  it("are read a few at a time while nobody knows how large they are, then as their size allows", async () => {
    const from = store(1_000, decode(JSON.stringify("x".repeat(20_000))));
    const instances = new InstanceCache(from, anyGraph);

    await instances.load(numbers(1_000));

    assertEquals(from.asked, [50, 200, 200, 200, 200, 150]);
    assertEquals(held(instances, 1_000).length, 1_000);
  });

  it("are read by hundreds when they are small, and one by one when they are very large", async () => {
    const small = store(1_000, 1);
    const instances = new InstanceCache(small, anyGraph);
    await instances.load(numbers(1_000));
    assertEquals(small.asked, [50, 500, 450]);

    const huge = store(53, "x".repeat(5_000_000));
    await new InstanceCache(huge, anyGraph).load(numbers(53));
    assertEquals(huge.asked, [50, 1, 1, 1]);
  });
});
