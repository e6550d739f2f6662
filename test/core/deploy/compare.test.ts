import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import {
  done,
  signal,
  step,
  type,
  versioned,
  workflow,
  WorkflowDefinitionError,
} from "../../../mod.ts";
import { compareDeploy, type OpenInstances } from "../../../src/core/deploy/compare.ts";
import { encodeGraph, fingerprint, graphChanges } from "../../../src/core/graph/fingerprint.ts";
import type { Workflow } from "../../../src/core/graph/workflow.ts";

const ok = { events: { ok: type() } };
const work = step("work", { ...ok, run: ({ emit }) => emit.ok() });
const [a, b, c] = [work.as("a"), work.as("b"), work.as("c")];
const [left, right] = [signal("left", ok), signal("right", ok)];
const named = { key: "id", input: type(), start: a } as const;
const short = workflow("order", named).on(a, { ok: left }).on(left, { ok: done }).build();
const renamed = workflow("order", named).on(a, { ok: right }).on(right, { ok: done }).build();
const long = workflow("order", named).on(a, { ok: left }).on(left, { ok: b }).on(b, { ok: done })
  .build();

function alive(of: Workflow, version: number, part: Partial<OpenInstances> = {}): OpenInstances {
  return {
    workflow: of.name,
    version,
    fingerprint: fingerprint(of.name, version, of.graph),
    graph: encodeGraph(of.graph),
    open: 3,
    oldest: new Date(0),
    steps: { left: 3 },
    ...part,
  };
}

function verdicts(...args: Parameters<typeof compareDeploy>): readonly string[] {
  return compareDeploy(...args).map(({ version, verdict }) => `${version} ${verdict}`);
}

const both = versioned("order", { versions: { 1: short, 2: long, 3: renamed }, current: 2 });

describe("what a deploy means for a version", () => {
  it("is safe with the same graph, and new or to be retired without instances", () => {
    assertEquals(verdicts([short], [alive(short, 1)]), ["1 safe"]);
    assertEquals(verdicts([both], []), ["1 retire", "2 new", "3 new"]);
    assertEquals(verdicts([both], [alive(short, 1)]), ["1 safe", "2 new", "3 new"]);
    assertEquals(verdicts([both], [alive(long, 2)]), ["1 retire", "2 safe", "3 new"]);
    // Where no version is called current, new instances start with the newest.
    const [, second] = both.versions.values();
    assertEquals(verdicts([short, second!], []), ["1 retire", "2 new"]);
  });

  it("is changed with another graph, beside instances of the same", () => {
    const found = compareDeploy([long], [alive(short, 1, { open: 1 }), alive(long, 1)]);
    assertEquals(found.map(({ verdict, open }) => [verdict, open]), [["safe", 3], ["changed", 1]]);
    assertEquals(found[1]?.changes, ['step "b" was added']);
    assertEquals(found[1]?.sentence.includes("make the new graph version 2"), true);
  });

  it("needs the version where the code does not have it, and compares it with the current one", () => {
    const [found, ...others] = [...compareDeploy([both], [alive(short, 7)])].reverse();
    assertEquals([found?.verdict, found?.comparedWith, others.length], ["needsVersion", 2, 3]);
    assertEquals(found?.changes, ['step "b" was added']);
    const [lost] = compareDeploy([], [alive(short, 1)]);
    assertEquals([lost?.verdict, lost?.comparedWith, lost?.changes], [
      "needsVersion",
      undefined,
      [],
    ]);
  });

  it("is safe for instances from before graphs were stored, and says that nothing can be noticed", () => {
    const [found] = compareDeploy([short], [
      alive(short, 1, { fingerprint: undefined, graph: undefined }),
    ]);
    assertEquals(found?.verdict, "safe");
    assertEquals(found?.sentence.includes("no change of the graph can be noticed"), true);
  });

  it("is refused for two workflows of one name and version", () => {
    assertThrows(
      () => compareDeploy([short, long], []),
      WorkflowDefinitionError,
      'Cannot check the workflows: two different ones are named "order" version 1',
    );
    assertEquals(verdicts([short, short], []), ["1 new"]);
  });
});

describe("a step that takes the place of another one", () => {
  const said = (before: Workflow, after: Workflow) =>
    graphChanges(encodeGraph(before.graph), encodeGraph(after.graph));

  it("is named with it", () => {
    assertEquals(said(short, renamed), ['signal "left" was replaced by "right"']);
  });

  it("is not guessed where two could, or where something else differs", () => {
    const two = workflow("order", named).on(a, { ok: [b, c] }).on(b, { ok: done })
      .on(c, { ok: done }).build();
    const one = workflow("order", named).on(a, { ok: work }).on(work, { ok: done }).build();
    assertEquals(said(one, two), [
      'step "work" was removed',
      'step "b" was added',
      'step "c" was added',
    ]);
    assertEquals(said(short, one), ['signal "left" was removed', 'step "work" was added']);
    const elsewhere = workflow("order", named).on(a, { ok: b }).on(b, { ok: right })
      .on(right, { ok: done }).build();
    assertEquals(said(long, elsewhere).includes('signal "left" was replaced by "right"'), false);
  });
});
