import { assertEquals } from "@std/assert";
import { eventually } from "../everywhere.ts";
import { left, parent } from "./roads.ts";
import { often } from "./stories_of_workers.ts";
import { again, completes, engine, type Story } from "./story.ts";

/** A process that dies between what a parent and a child do. */
export const storiesOfChildren: readonly Story[] = [
  ...[true, false].map((inline): Story => ({
    name: `a step that starts a child, ${inline ? "inline" : "through jobs"}`,
    statements: ["claim", "open", "turn", "commit", "record"],
    before: ({ hephaestus }) => hephaestus.start(parent, "one", undefined),
    async act(url) {
      const hephaestus = engine(url, { inline });
      await hephaestus.work(often).ready;
      await (await hephaestus.handle(parent, "one"))!.result();
    },
    async finish(stage) {
      await stage.work();
      await completes(stage, parent, "one", ["started", "finish"]);
      const all = await stage.sql`select status from hephaestus.workflow_instances`;
      assertEquals(all.map(({ status }) => status), ["completed", "completed"]);
      assertEquals((await stage.sql`select from hephaestus.jobs`).length, 0);
    },
  })),
  {
    name: "a parent that is cancelled while its child waits",
    statements: ["claim", "open", "turn", "commit"],
    before: ({ hephaestus }) => hephaestus.start(left, "one", undefined),
    async act(url) {
      const hephaestus = engine(url);
      await hephaestus.work(often).ready;
      const handle = (await hephaestus.handle(left, "one"))!;
      const children = async () => (await hephaestus.list({ parent: handle.id })).items;
      await eventually(async () => (await children()).length > 0, "the child waits");
      await hephaestus.cancel(left, "one");
      const isOver = async () => (await children())[0]?.status === "cancelled";
      await eventually(isOver, "the child is cancelled");
    },
    async finish({ hephaestus, sql, work }) {
      await again(hephaestus.cancel(left, "one"), "NOT_CANCELLABLE");
      await work();
      const open = () => sql`select from hephaestus.workflow_instances where finished_at is null`;
      await eventually(async () => (await open()).length === 0, "no child is left");
      const jobs = () =>
        sql`select from hephaestus.jobs where state not in ('cancelled', 'discarded')`;
      await eventually(async () => (await jobs()).length === 0, "no job is left");
    },
  },
];
