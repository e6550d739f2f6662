import { again, done, step, type, workflow } from "../../mod.ts";
import { inBulk, type Workload } from "./workload.ts";

interface AgainOptions {
  readonly rounds: number;
  /** Whether the first step of the loop reads what the rounds have put out. */
  readonly carry: boolean;
}

/** A loop of two steps that do nothing, as a model that calls tools. */
export function loop({ rounds, carry }: AgainOptions): Workload {
  const events = { calls: type<{ n: number }>() };
  const takes = { rounds: type<{ n: number }>() };
  const ask = carry
    ? step("ask", { ...takes, events, run: ({ rounds, emit }) => emit.calls({ n: rounds.length }) })
    : step("ask", { events, run: ({ emit }) => emit.calls({ n: 1 }) });
  const answer = step("answer", {
    needs: [ask.when("calls")],
    events: { results: type<{ n: number }>() },
    run: ({ steps, emit }) => emit.results({ n: steps.ask.n }),
  });
  const built = workflow("again", { key: "id", input: type<object>(), start: ask })
    .on(ask, { calls: answer })
    .on(answer, { results: again(ask, { limit: rounds, then: done }) })
    .build();
  return { workflow: built, steps: 2 * rounds, start: inBulk(built) };
}
