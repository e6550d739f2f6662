import { assertEquals } from "@std/assert";
import type { Sql } from "postgres";
import { listing, mending } from "./roads_of_lists.ts";
import { often } from "./stories_of_workers.ts";
import { again, completes, engine, type Story } from "./story.ts";

const effects = async (sql: Sql) =>
  (await sql`select step from effects`).map(({ step }) => step).sort();
const named = (step: string) => [0, 1, 2].map((item) => `${step} ${item}`);

/** A process that dies while it runs the items of a list. */
export const storiesOfLists: readonly Story[] = [
  ...[true, false].map((inline): Story => ({
    name: `a list, ${inline ? "inline" : "through jobs"}`,
    statements: inline ? ["turn", "commit"] : ["record"],
    before: ({ hephaestus }) => hephaestus.start(listing, "one", undefined),
    async act(url) {
      const hephaestus = engine(url, { inline });
      await hephaestus.work(often).ready;
      await (await hephaestus.handle(listing, "one"))!.result();
    },
    async finish(stage) {
      await stage.work();
      const items = ["packed[]", "packed[]", "packed[]"];
      await completes(stage, listing, "one", ["packed", "packed", ...items, "bound"]);
      const handle = await stage.hephaestus.handle(listing, "one");
      assertEquals(await handle!.output(), [0, 1, 2]);
      assertEquals(await effects(stage.sql), named("packed"));
    },
  })),
  {
    name: "a list that is retried by hand",
    statements: ["reopen"],
    async before({ hephaestus }) {
      const handle = await hephaestus.start(mending, "one", undefined);
      await using worker = hephaestus.work(often);
      await worker.ready;
      assertEquals((await handle.result()).status, "failed");
    },
    act: (url) => engine(url).retry(mending, "one"),
    async finish({ hephaestus, sql, work }) {
      await again(hephaestus.retry(mending, "one"), "NOT_RETRYABLE");
      await work();
      const end = await (await hephaestus.handle(mending, "one"))!.result();
      assertEquals([end.status, end.error], ["completed", undefined]);
      assertEquals(await effects(sql), named("mended"));
      const retries = (await hephaestus.history(mending, "one"))
        .filter(({ event }) => event === "__retried__");
      assertEquals(retries.length, 1);
    },
  },
];
