import { describe, it } from "node:test";
import { assertEquals, assertNotEquals } from "@std/assert";
import { planOf } from "./plan.ts";
import { run } from "./world.ts";

describe("a world of faults", () => {
  // One that works through jobs, and one inline.
  for (const seed of [3, 23]) {
    it(`loses nothing and does nothing twice (seed ${seed})`, async () => {
      const { plan, problems, log } = await run(planOf(seed, 3.5, 2));

      const story = problems.length === 0 ? [] : [JSON.stringify(plan), ...log];
      assertEquals(problems, [], [...story, ...problems].join("\n"));
    });
  }

  it("is the same for the same seed, and another one for another", () => {
    assertEquals(planOf(7, 30, 4), planOf(7, 30, 4));
    assertNotEquals(planOf(7, 30, 4).faults, planOf(8, 30, 4).faults);
  });
});
