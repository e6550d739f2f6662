import { assert, assertEquals } from "@std/assert";
import { done, each, FatalError, type HistoryEntry, step, type, workflow } from "../../mod.ts";
import { eventually, everywhere, Gate } from "../everywhere.ts";

type Order = { readonly pages: readonly string[]; readonly broken?: readonly string[] };
const broken = new Set<string>();
let most = 0;
let running = 0;
let slow = new Gate();
slow.open();

const split = step("split", {
  input: type<Order>(),
  events: { split: type<{ pages: readonly string[] }>() },
  run: ({ input, emit }) => emit.split({ pages: input.pages }),
});
const options = {
  needs: [split.when("split")],
  limit: 3,
  events: { rendered: type<{ url: string; key: string }>() },
  retry: { attempts: 2, base: "1ms" },
} as const;
const render = each("render", {
  ...options,
  over: ({ steps }) => steps.split.pages,
  async run({ item, index, activation, emit, idempotencyKey, instance }) {
    most = Math.max(most, ++running);
    await Promise.resolve();
    running--;
    if (index > 2) await slow.opened;
    if (broken.has(item)) throw new FatalError(`Page ${item} is broken`);
    const key = idempotencyKey.replace(instance.id, "id");
    return emit.rendered({ url: `${index}/${item}/${activation}`, key });
  },
});
const bind = step("bind", {
  needs: [render.when("finished")],
  events: { bound: type<{ pages: readonly string[] }>() },
  run: ({ steps, emit }) => emit.bound({ pages: steps.render.map(({ output }) => output.url) }),
});
const book = workflow("book", { key: "id", input: type<Order>(), start: split })
  .on(split, { split: render })
  .on(render, { finished: bind })
  .on(bind, { bound: done })
  .returns({ bound: bind.when("bound") })
  .build();

function told(history: readonly HistoryEntry[]): string[] {
  return history.map(({ step, activation, event }) => `${step} ${activation} ${event}`);
}

everywhere("a step over a list", (it) => {
  it("runs each item once, a few at once, and gives the outcomes in order", {
    workflows: [book],
  }, async ({ hephaestus, work, jobs }) => {
    most = 0;
    await work();
    const pages = Array.from({ length: 10 }, (_, index) => `p${index}`);
    const handle = await hephaestus.start(book, "one", { pages });

    assertEquals(await handle.output(), { pages: pages.map((page, at) => `${at}/${page}/1`) });
    assert(most <= 3, `${most} items at once`);
    const history = await hephaestus.history(book, "one");
    assertEquals(told(history).filter((row) => !row.startsWith("render[]")), [
      "split 1 split",
      "render 1 __items__",
      "render 1 finished",
      "bind 1 bound",
    ]);
    const items = history.filter(({ step }) => step === "render[]");
    assertEquals(items.map(({ activation }) => activation).sort((a, b) => a - b), [
      ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    ]);
    assertEquals(history.find(({ event }) => event === "finished")?.output, {
      items: 10,
      failed: 0,
    });
    assertEquals(await jobs(), []);

    const empty = await hephaestus.start(book, "none", { pages: [] });
    assertEquals(await empty.output(), { pages: [] });
  });

  it("begins no more items after a failure, and runs what has failed alone again", {
    workflows: [book],
  }, async ({ hephaestus, work }) => {
    await work();
    broken.add("p1");
    const pages = Array.from({ length: 60 }, (_, index) => `p${index}`);
    // Others run until the failure is known: it is applied by a worker, as a delivery is.
    slow = new Gate();
    const handle = await hephaestus.start(book, "two", { pages });
    await eventually(
      async () =>
        (await hephaestus.history(book, "two")).some(({ event, state }) =>
          event === "failed" && state === "applied"
        ),
      "the failure is known",
    );
    slow.open();
    const { status, error } = await handle.result();
    assertEquals([status, error?.message], ["failed", "Page p1 is broken"]);
    const before = await hephaestus.history(book, "two");
    const rendered = before.filter(({ event }) => event === "rendered").length;
    broken.clear();
    assert(rendered <= 4, `${rendered}`);

    await hephaestus.retry(book, "two");
    const again = await hephaestus.handle(book, "two");
    const urls = pages.map((page, at) => [`${at}/${page}/1`, `${at}/${page}/2`]);
    const { pages: found } = await again!.output();
    assert(found.every((url, at) => urls[at]!.includes(url)) && found.length === 60, `${found}`);
    assertEquals(found[1], "1/p1/2");
    const after = await hephaestus.history(book, "two");
    assertEquals(after.filter(({ event }) => event === "rendered").length, 60);
    const key = after.find(({ output }) => (output as { url?: string })?.url === "1/p1/2");
    assertEquals((key?.output as { key: string }).key, "id/render[1]/1");
  });
});
