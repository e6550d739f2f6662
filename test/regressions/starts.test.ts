import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  AlreadyRunningError,
  AmbiguousKeyError,
  done,
  type Handle,
  signal,
  step,
  type,
  versioned,
  workflow,
} from "../../mod.ts";
import type { Scope } from "../../src/types.ts";
import { everywhere } from "../everywhere.ts";

const approval = signal("approval", { events: { approved: type() } });

function asking<const Name extends string>(name: Name, scope: Scope) {
  return workflow(name, { key: "id", input: type<number>(), start: approval, scope })
    .on(approval, { approved: done })
    .build();
}

const ask = asking("ask", "workflow");

/** What became of starts that raced. */
async function raced(starts: readonly Promise<Handle<number>>[]) {
  const settled = await Promise.allSettled(starts);
  return {
    ids: settled.flatMap((one) => one.status === "fulfilled" ? [one.value.id] : []),
    refused:
      settled.filter((one) =>
        one.status === "rejected" && one.reason instanceof AlreadyRunningError
      ).length,
  };
}

everywhere("racing starts of one key", (it) => {
  it("are accepted once, twenty times out of twenty", { workflows: [ask] }, async ({
    hephaestus,
    another,
  }) => {
    const other = another();
    for (let round = 0; round < 20; round++) {
      const { ids, refused } = await raced(
        Array.from(
          { length: 8 },
          (_, n) => (n % 2 ? hephaestus : other).start(ask, `k${round}`, n),
        ),
      );
      assertEquals([ids.length, refused], [1, 7]);
    }
    assertEquals((await hephaestus.list(ask)).items.length, 20);
  });

  it("return the one instance when that is asked for", { workflows: [ask] }, async ({
    hephaestus,
    another,
  }) => {
    const other = another();
    const { ids } = await raced(
      Array.from(
        { length: 50 },
        (_, n) => (n % 2 ? hephaestus : other).start(ask, "a", n, { onConflict: "return" }),
      ),
    );

    assertEquals([ids.length, new Set(ids).size], [50, 1]);
    assertEquals((await hephaestus.list(ask)).items.length, 1);
  });

  it("leave one active when each replaces the one before", { workflows: [ask] }, async ({
    hephaestus,
    another,
  }) => {
    const other = another();

    const handles = await Promise.all(
      Array.from(
        { length: 4 },
        (_, n) => (n % 2 ? hephaestus : other).start(ask, "a", n, { onConflict: "replace" }),
      ),
    );

    const { items } = await hephaestus.list(ask);
    assertEquals(items.map(({ id }) => id).sort(), handles.map(({ id }) => id).sort());
    assertEquals(items.map(({ status }) => status).sort(), [
      "cancelled",
      "cancelled",
      "cancelled",
      "waiting",
    ]);
  });
});

everywhere("a second start of a key", (it) => {
  it("leaves the running instance as it is", { workflows: [ask] }, async ({ hephaestus }) => {
    const { id } = await hephaestus.start(ask, "a", 1);

    const refused = await assertRejects(() => hephaestus.start(ask, "a", 2), AlreadyRunningError);

    assertEquals([refused.id, refused.status], [id, "waiting"]);
    assertEquals(refused.message, `Cannot start ask "id::a": instance "${id}" is waiting`);
    const { items: [only, ...others] } = await hephaestus.list(ask);
    assertEquals([only?.id, only?.input, others], [id, 1, []]);
  });

  const send = step("send", {
    input: type<number>(),
    events: { sent: type<number>() },
    run: ({ input, emit }) => emit.sent(10 * input),
  });
  const mail = workflow("mail", { key: "id", input: type<number>(), start: send })
    .on(send, { sent: done })
    .build();

  it("runs it again once it is final, and erases no history", { workflows: [mail] }, async ({
    hephaestus,
    work,
  }) => {
    await work();
    const first = await hephaestus.start(mail, "a", 1);
    await first.result();
    const second = await hephaestus.start(mail, "a", 2);
    await second.result();

    assert(first.id !== second.id);
    assertEquals((await hephaestus.get(mail, "a"))?.id, second.id);
    assertEquals((await hephaestus.get(mail, first))?.input, 1);
    assertEquals((await hephaestus.history(mail, first))[0]?.output, 10);
    assertEquals((await hephaestus.history(mail, second))[0]?.output, 20);
  });
});

everywhere("a business key", (it) => {
  const perVersion = asking("per-version", "version");
  const versions = versioned("per-version", {
    versions: { 1: perVersion, 2: perVersion },
    current: 2,
  });
  const [one, other] = [asking("one", "global"), asking("other", "global")];
  const free = asking("free", "none");
  const two = asking("two", "workflow");

  it("is unique in its workflow", { workflows: [ask, two] }, async ({ hephaestus }) => {
    await hephaestus.start(ask, "a", 1);
    await hephaestus.start(two, "a", 1);
    await assertRejects(() => hephaestus.start(two, "a", 2), AlreadyRunningError);
  });

  it("is unique in its version", { workflows: [versions] }, async ({ hephaestus }) => {
    await hephaestus.start(versions, "a", 1, { version: 1 });
    await hephaestus.start(versions, "a", 1, { version: 2 });
    const again = () => hephaestus.start(versions, "a", 2, { version: 1 });
    await assertRejects(again, AlreadyRunningError);
    await assertRejects(() => hephaestus.get(versions, "a"), AmbiguousKeyError);
  });

  it("is unique everywhere", { workflows: [one, other] }, async ({ hephaestus }) => {
    const { id } = await hephaestus.start(one, "a", 1);
    const refused = await assertRejects(() => hephaestus.start(other, "a", 2), AlreadyRunningError);
    assertEquals(refused.id, id);
  });

  it(
    "may be used at will, and is then refused where it is ambiguous",
    { workflows: [free] },
    async ({
      hephaestus,
      work,
    }) => {
      await work();
      const first = await hephaestus.start(free, "a", 1);
      const second = await hephaestus.start(free, "a", 2);
      const given = approval.emit.approved();

      await assertRejects(() => hephaestus.resume(free, "a", given), AmbiguousKeyError);
      await assertRejects(() => hephaestus.cancel(free, "a"), AmbiguousKeyError);
      await hephaestus.resume(free, second, given);

      assertEquals((await second.result()).status, "completed");
      assertEquals((await hephaestus.get(free, first))?.status, "waiting");
    },
  );
});

everywhere("a start that meets a running instance of its key", (it) => {
  const wide = asking("wide", "global");
  const narrow = asking("narrow", "workflow");

  it("replaces and returns the one that the key is taken by, and no other", {
    workflows: [wide, narrow],
  }, async ({ hephaestus }) => {
    const beside = await hephaestus.start(narrow, "a", 1);
    const first = await hephaestus.start(wide, "a", 1);
    const after = await hephaestus.start(asking("other", "workflow"), "a", 1);

    assertEquals((await hephaestus.start(wide, "a", 2, { onConflict: "return" })).id, first.id);
    const refused = await assertRejects(() => hephaestus.start(wide, "a", 3), AlreadyRunningError);
    assertEquals(refused.id, first.id);
    const [many] = await hephaestus.startMany(wide, [{ key: "a", input: 4 }]);
    assertEquals(many?.id, first.id);
    await hephaestus.start(wide, "a", 5, { onConflict: "replace" });

    const status = async (id: string) => (await hephaestus.list({ id })).items[0]?.status;
    assertEquals(
      [await status(beside.id), await status(first.id), await status(after.id)],
      ["waiting", "cancelled", "waiting"],
    );
  });
});
