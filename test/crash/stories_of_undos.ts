import { assertEquals } from "@std/assert";
import type { Sql } from "postgres";
import { eventually } from "../everywhere.ts";
import { regretting, undoing } from "./roads.ts";
import { again, engine, type Story } from "./story.ts";

const often = { poll: "20ms" } as const;

const effects = async (sql: Sql) =>
  (await sql`select step from effects`).map(({ step }) => step).sort();

/** A process that dies while an instance undoes what its steps have done. */
export const storiesOfUndos: readonly Story[] = [
  ...[true, false].map((inline): Story => ({
    name: `an instance that undoes, ${inline ? "inline" : "through jobs"}`,
    statements: [
      ...["turn", "read outputs", "the user's effect", "commit"],
      ...(inline ? [] : ["record"]),
    ],
    before: ({ hephaestus }) => hephaestus.start(undoing, "one", undefined),
    async act(url) {
      const hephaestus = engine(url, { inline });
      await hephaestus.work(often).ready;
      await (await hephaestus.handle(undoing, "one"))!.result();
    },
    async finish({ hephaestus, work, sql }) {
      await work();
      const end = await (await hephaestus.handle(undoing, "one"))!.result();
      assertEquals([end.status, end.error], ["undone", undefined]);
      const history = await hephaestus.history(undoing, "one");
      assertEquals(history.map(({ step, event }) => `${step} ${event}`).sort(), [
        "give ok",
        "kept ok",
        "nudge __dropped__",
        "~kept undone",
      ]);
      assertEquals(await effects(sql), ["kept", "~kept"]);
      assertEquals((await sql`select from hephaestus.jobs`).length, 0);
    },
  })),
  {
    name: "a cancel that undoes",
    statements: ["begin", "lock the instance", "turn", "commit"],
    async before({ hephaestus, sql }) {
      const { id } = await hephaestus.start(regretting, "one", undefined);
      await using worker = hephaestus.work(often);
      await worker.ready;
      const waits = () =>
        sql`select from hephaestus.jobs where instance_id = ${id} and step = 'nudge'`;
      await eventually(async () => (await waits()).length === 1, "it waits");
    },
    act: (url) => engine(url).cancel(regretting, "one"),
    async finish({ hephaestus, sql, work }) {
      await again(hephaestus.cancel(regretting, "one"), "NOT_CANCELLABLE");
      await work();
      const end = await (await hephaestus.handle(regretting, "one"))!.result();
      assertEquals(end.status, "cancelled");
      assertEquals(await effects(sql), ["kept", "~kept"]);
    },
  },
];
