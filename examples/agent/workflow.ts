import { again, done, signal, step, type, workflow } from "../../mod.ts";
import { complete, type Round, tools } from "./model.ts";

/** What a chat may cost. */
const budget = 5;

const think = step("think", {
  input: type<{ question: string }>(),
  rounds: type<Round>(),
  events: {
    answered: type<string>(),
    calls: type<{ tool: string; argument: string }>(),
    asks: type<string>(),
    spent: type<number>(),
  },
  run({ input, rounds, emit }) {
    const cost = rounds.reduce((sum, round) => sum + round.cost, 0);
    if (cost >= budget) return emit.spent(cost);
    const wish = complete(input.question, rounds);
    if (wish.kind === "answer") return emit.answered(wish.text);
    if (wish.kind === "question") return emit.asks(wish.text);
    return emit.calls({ tool: wish.tool, argument: wish.argument });
  },
});

const callTool = step("callTool", {
  needs: [think.when("calls")],
  events: { found: type<Round>() },
  run({ steps, emit }) {
    const { tool, argument } = steps.think;
    const call = tools[tool];
    const text = call === undefined ? `there is no tool "${tool}"` : call(argument);
    return emit.found({ from: "tool", text, cost: 2 });
  },
});

/** What the person says whom the model has asked. */
export const person = signal("person", {
  needs: [think.when("asks")],
  events: { said: type<Round>() },
  expires: "1d",
});

const giveUp = step("giveUp", {
  events: { unanswered: type<string>() },
  run: ({ emit }) => emit.unanswered("Nobody has answered the question of the model"),
});
const sumUp = step("sumUp", {
  sees: [callTool.every("found")],
  events: { summed: type<string>() },
  run: ({ seen, emit }) => emit.summed(seen.callTool.map(({ text }) => text).join("; ")),
});

/** A chat: the model calls tools and asks a person until it can answer, within its budget. */
export const agent = workflow("agent", {
  key: "chat",
  input: type<{ question: string }>(),
  start: think,
})
  .on(think, { answered: done, calls: callTool, asks: person, spent: sumUp })
  .on(callTool, { found: again(think, { limit: 10, then: sumUp }) })
  .on(person, { said: again(think, { limit: 10, then: sumUp }), expired: giveUp })
  .on(giveUp, { unanswered: done })
  .on(sumUp, { summed: done })
  .returns({
    answer: think.when("answered"),
    summary: sumUp.when("summed"),
    nothing: giveUp.when("unanswered"),
  })
  .build();
