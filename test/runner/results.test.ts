import { assertEquals } from "@std/assert";
import { choice, done, step, type, workflow } from "../../mod.ts";
import { everywhere } from "../everywhere.ts";

const pack = step("pack", {
  events: { packed: type() },
  run: ({ emit, input }) => emit.packed(undefined, { metadata: { by: String(input) } }),
});
const broken = choice("broken", {
  events: { never: type() },
  needs: [pack.when("packed")],
  decide: () => {
    throw new TypeError("It cannot decide");
  },
});
const packing = workflow("packing", { key: "id", input: type<string>(), start: pack })
  .on(pack, { packed: done })
  .build();
const breaking = workflow("breaking", { key: "id", input: type<string>(), start: pack })
  .on(pack, { packed: broken })
  .on(broken, { never: done })
  .build();
const workflows = [packing, breaking];

everywhere("what a caller has waited for", (it) => {
  for (const [status, target] of [["completed", packing], ["failed", breaking]] as const) {
    it(`is what a look at it finds (${status})`, { workflows }, async ({ hephaestus, work }) => {
      await work();
      const [tags, metadata] = [["eu"], { from: "maria" }];
      const handle = await hephaestus.start(target, "1", "jo", { tags, metadata });

      const result = await handle.result();

      assertEquals(result.status, status);
      assertEquals(result, await hephaestus.get(target, { id: handle.id }));
    });
  }
});
