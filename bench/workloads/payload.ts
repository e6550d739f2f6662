import { step, type } from "../../mod.ts";
import { link } from "./chain.ts";
import { inBulk, type Workload } from "./workload.ts";

/** A chain whose first step outputs `bytes` bytes, which only its last step reads. */
export function payload(
  { steps, bytes }: { readonly steps: number; readonly bytes: number },
): Workload {
  const text = noise(bytes);
  const first = step("s0", {
    events: { ok: type<{ text: string }>() },
    run: ({ emit }) => emit.ok({ text }),
  });
  const between = step("s1", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
  const last = step("last", {
    needs: [first.when("ok")],
    events: { ok: type<{ length: number }>() },
    run: ({ steps, emit }) => emit.ok({ length: steps.s0.text.length }),
  });
  const middle = Array.from({ length: steps - 2 }, (_, index) => between.as(`s${index + 1}`));
  const built = link("payload", steps === 1 ? [first] : [first, ...middle, last]);
  return { workflow: built, steps, start: inBulk(built) };
}

/**
 * Text that compresses badly, or the server would store almost nothing. The same in every process.
 */
function noise(bytes: number): string {
  let state = 1;
  const letter = (): string => {
    state = (state * 48_271) % 2_147_483_647;
    return (state % 36).toString(36);
  };
  return Array.from({ length: bytes }, letter).join("");
}
