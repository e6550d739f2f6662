import { assertEquals, assertRejects } from "@std/assert";
import { again, choice, done, signal, step, timer, type, workflow } from "../../mod.ts";
import { eventually, everywhere } from "../everywhere.ts";

const keys: string[] = [];
const ask = step("ask", {
  events: { answer: type<string>(), calls: type<number>() },
  run({ emit, idempotencyKey }) {
    keys.push(idempotencyKey);
    return emit.calls(keys.length);
  },
});
const look = step("look", {
  needs: [ask.when("calls")],
  events: { found: type<number>() },
  run: ({ steps, emit }) => emit.found(10 * steps.ask),
});
const sum = step("sum", {
  needs: [ask.when("calls"), look.when("found")],
  events: { summed: type<string>() },
  run: ({ steps, emit }) => emit.summed(`${steps.ask} and ${steps.look}`),
});
const agent = workflow("agent", { key: "chat", input: type(), start: ask })
  .on(ask, { answer: done, calls: look })
  .on(look, { found: again(ask, { limit: 3, then: sum }) })
  .on(sum, { summed: done })
  .build();
const endless = workflow("endless", { key: "id", input: type(), start: ask })
  .on(ask, { answer: done, calls: again(ask, { limit: 2 }) })
  .build();

const list = step("list", {
  sees: [look.every("found"), ask.every("answer")],
  events: { listed: type<readonly number[]>() },
  run: ({ seen, emit }) => emit.listed([...seen.look, ...seen.ask.map(Number)]),
});
const listing = workflow("listing", { key: "chat", input: type(), start: ask })
  .on(ask, { answer: list, calls: look })
  .on(look, { found: again(ask, { limit: 3, then: list }) })
  .on(list, { listed: done })
  .build();

const draft = step("draft", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const review = signal("review", { events: { approved: type(), refused: type<string>() } });
const publish = step("publish", {
  sees: [review.when("refused")],
  events: { published: type<unknown>() },
  run: ({ seen, emit }) => emit.published(seen.review ?? "first time"),
});
const article = workflow("article", { key: "id", input: type(), start: draft })
  .on(draft, { ok: review })
  .on(review, { approved: publish, refused: again(draft, { limit: 3, then: done }) })
  .on(publish, { published: done })
  .build();

const links: number[] = [];
const link = step("link", {
  events: { ok: type() },
  run({ activation, emit }) {
    links.push(activation);
    return emit.ok();
  },
});
const linked = workflow("linked", { key: "id", input: type(), start: link })
  .on(link, { ok: review })
  .on(review, { approved: done, refused: again(link, { limit: 2, then: done }) })
  .build();

const plain = workflow("plain", { key: "id", input: type(), start: review })
  .on(review, { approved: done, refused: done })
  .build();

const pause = timer("pause", "1ms");
const enough = choice("enough", {
  needs: [ask.when("calls")],
  events: { yes: type<number>(), no: type() },
  decide: ({ steps, emit }) => steps.ask > 2 ? emit.yes(steps.ask) : emit.no(),
});
const polling = workflow("polling", { key: "id", input: type(), start: ask })
  .on(ask, { answer: done, calls: pause })
  .on(pause, { elapsed: enough })
  .on(enough, { yes: done, no: again(ask, { limit: 100 }) })
  .build();

interface Turn {
  readonly tool: string;
  readonly result: number;
}
const told: unknown[] = [];
const model = step("model", {
  rounds: type<Turn>(),
  events: { answer: type<number>(), calls: type<string>() },
  run({ rounds, attempt, emit }) {
    told.push(rounds);
    if (attempt === 1) throw new Error("Not at the first attempt");
    const sum = rounds.reduce((all, { result }) => all + result, 0);
    return sum > 2 ? emit.answer(sum) : emit.calls(`tool ${rounds.length}`);
  },
  retry: { base: "1ms" },
});
const tool = step("tool", {
  needs: [model.when("calls")],
  events: { result: type<Turn>(), broken: type<Turn>() },
  run: ({ steps, idempotencyKey, emit }) =>
    idempotencyKey.endsWith("/2")
      ? emit.broken({ tool: steps.model, result: 0 })
      : emit.result({ tool: steps.model, result: 1 }),
});
const reset = choice("reset", {
  events: { once: type() },
  decide: ({ emit }) => emit.once(),
});
const chat = workflow("chat", { key: "id", input: type(), start: reset })
  .on(reset, { once: model })
  .on(model, { answer: again(reset, { limit: 2, then: done }), calls: tool })
  .on(tool, { result: again(model, { limit: 9 }), broken: again(model, { limit: 9 }) })
  .build();

everywhere("a loop", (it) => {
  it("runs its steps once in each round, each with the results of its round", {
    workflows: [agent],
  }, async ({ hephaestus, work }) => {
    keys.length = 0;
    await work();
    const handle = await hephaestus.start(agent, "a", undefined);

    assertEquals((await handle.result()).status, "completed");

    const history = await hephaestus.history(agent, "a");
    assertEquals(
      history.map(({ step, activation, output }) => `${step} ${activation}: ${output}`),
      [
        "ask 1: 1",
        "look 1: 10",
        "ask 2: 2",
        "look 2: 20",
        "ask 3: 3",
        "look 3: 30",
        "sum 1: 3 and 30",
      ],
    );
    assertEquals(keys, [1, 2, 3].map((activation) => `${handle.id}/ask/${activation}`));
  });

  it("shows what every round has put out to a step after it, oldest first", {
    workflows: [listing],
  }, async ({ hephaestus, work }) => {
    keys.length = 0;
    await work();

    await (await hephaestus.start(listing, "a", undefined)).result();

    const history = await hephaestus.history(listing, "a");
    assertEquals(history.at(-1)?.output, [10, 20, 30]);
  });

  it("brings back to its first step what each round has put out, since it was entered", {
    workflows: [chat],
  }, async ({ hephaestus, work }) => {
    told.length = 0;
    await work();

    const { status } = await (await hephaestus.start(chat, "a", undefined)).result();

    assertEquals(status, "completed");
    const [one, two, three, four] = [1, 0, 1, 1].map((result, at) => ({
      tool: `tool ${at}`,
      result,
    }));
    const entered = [[], [one], [one, two], [one, two, three], [one, two, three, four]];
    const again = [1, 1, 1].map((result, at) => ({ tool: `tool ${at}`, result }));
    const later = again.map((_, at) => again.slice(0, at)).concat([again]);
    assertEquals(told, [...entered, ...later].flatMap((rounds) => [rounds, rounds]));
  });

  it("fails its instance when its rounds are used up and it leads nowhere then", {
    workflows: [endless],
  }, async ({ hephaestus, work }) => {
    await work();

    const { status, error } = await (await hephaestus.start(endless, "a", undefined)).result();

    assertEquals([status, error?.code], ["failed", "ROUNDS_USED_UP"]);
    assertEquals(
      error?.message,
      'The event "ask.calls" would lead back to "ask", but its rounds are used up (limit 2)',
    );
    assertEquals((await hephaestus.history(endless, "a")).length, 2);
  });

  it("takes a delivery in each round, and no second one in the same", {
    workflows: [article],
  }, async ({ hephaestus, work }) => {
    await work();
    const { id } = await hephaestus.start(article, "a", undefined);
    const waits = async (rounds: number) =>
      (await hephaestus.history(article, { id })).filter(({ step }) => step === "draft").length ===
        rounds && (await hephaestus.get(article, { id }))?.status === "waiting";
    for (const [round, why] of [[1, "too long"], [2, "too short"]] as const) {
      await eventually(() => waits(round), `the review of round ${round}`);
      const refused = review.emit.refused(why);
      assertEquals(await hephaestus.resume(article, { id }, refused), "accepted");
    }
    await eventually(() => waits(3), "the last review");
    assertEquals(await hephaestus.resume(article, { id }, review.emit.approved()), "accepted");

    const end = await (await hephaestus.handle(article, { id }))!.result();

    assertEquals(end.status, "completed");
    const history = await hephaestus.history(article, { id });
    assertEquals(
      history.filter(({ step }) => step === "review").map(({ activation, event, state }) =>
        `${activation} ${event} ${state}`
      ),
      ["1 refused applied", "2 refused applied", "3 approved applied"],
    );
    assertEquals(history.at(-1)?.output, "first time");
    assertEquals(await hephaestus.resume(article, { id }, review.emit.approved()), "duplicate");
  });

  it("takes a delivery that names an earlier round for a duplicate", {
    workflows: [linked, plain],
  }, async ({ hephaestus, work, jobs }) => {
    links.length = 0;
    await work();
    const { id } = await hephaestus.start(linked, "a", undefined);
    const isAsked = (round: number) => async () =>
      links.length === round && (await hephaestus.get(linked, { id }))?.status === "waiting";
    await eventually(isAsked(1), "the first link");
    const refuse = (activation: number) =>
      hephaestus.resume(linked, { id }, review.emit.refused("no", { activation }));
    assertEquals(await refuse(links[0]!), "accepted");
    await eventually(isAsked(2), "the second link");

    assertEquals(await refuse(links[0]!), "duplicate");
    await hephaestus.scheduleResume(
      linked,
      { id },
      review.emit.refused("late", { activation: links[0]! }),
      { after: "0ms" },
    );
    await eventually(async () => (await jobs()).length === 0, "the scheduled delivery has come");
    assertEquals(await refuse(links[1]!), "accepted");
    assertEquals(links, [1, 2]);

    const end = await (await hephaestus.handle(linked, { id }))!.result();
    assertEquals(end.status, "completed");
    const history = await hephaestus.history(linked, { id });
    const reviews = history.filter(({ step, state }) => step === "review" && state === "applied");
    assertEquals(reviews.map(({ activation, output }) => [activation, output]), [
      [1, "no"],
      [2, "no"],
    ]);
    await assertRejects(() => refuse(0), TypeError, "activation 0 is not a whole number from 1");
    await hephaestus.start(plain, "b", undefined);
    await assertRejects(
      () => hephaestus.resume(plain, "b", review.emit.refused("no", { activation: 2 })),
      TypeError,
      `signal "review" is not in a loop: its only activation is 1`,
    );
  });

  it("takes a scheduled delivery for the round that it meets", {
    workflows: [article],
  }, async ({ hephaestus, work }) => {
    const { id } = await hephaestus.start(article, "a", undefined);
    await hephaestus.scheduleResume(article, { id }, review.emit.approved(), { after: "1500ms" });
    await work();
    await eventually(
      async () => (await hephaestus.get(article, { id }))?.status === "waiting",
      "the first review",
    );
    await hephaestus.resume(article, { id }, review.emit.refused("no"));

    assertEquals((await (await hephaestus.handle(article, { id }))!.result()).status, "completed");

    const history = await hephaestus.history(article, { id });
    const reviews = history.filter(({ step }) => step === "review");
    assertEquals(reviews.map(({ activation, event }) => [activation, event]), [
      [1, "refused"],
      [2, "approved"],
    ]);
  });

  it("goes on through timers and choices", {
    workflows: [polling],
  }, async ({ hephaestus, work }) => {
    keys.length = 0;
    await work();

    const { status } = await (await hephaestus.start(polling, "a", undefined)).result();

    assertEquals(status, "completed");
    const history = await hephaestus.history(polling, "a");
    assertEquals(history.length, 9);
    assertEquals([history.at(-1)?.activation, history.at(-1)?.output], [3, 3]);
  });
});
