import { assertEquals } from "@std/assert";
import { done, step, type, workflow } from "../../../mod.ts";
import { everywhere } from "../../everywhere.ts";

const spread = step("spread", {
  events: { ended: type<{ key: string; aborted: boolean; id: string }>() },
  run: ({ emit, ...rest }) => {
    const { idempotencyKey, abortSignal, instance } = { ...rest };
    return emit.ended({ key: idempotencyKey, aborted: abortSignal.aborted, id: instance.id });
  },
});
const spreading = workflow("spreading", { key: "id", input: type(), start: spread })
  .on(spread, { ended: done })
  .build();

everywhere("the context of a step", (it) => {
  it("is whole when it is spread", { workflows: [spreading] }, async ({ hephaestus, work }) => {
    await work();
    const { id, ...handle } = await hephaestus.start(spreading, "1", undefined);
    assertEquals((await handle.result()).status, "completed");
    const [entry] = await hephaestus.history(spreading, { id });
    assertEquals(entry?.output, { key: `${id}/spread/1`, aborted: false, id });
  });
});
