import { assertEquals } from "@std/assert";
import { hurried, limited } from "./roads.ts";
import { often } from "./stories_of_workers.ts";
import { completes, engine, type Story } from "./story.ts";

/** What workers do when a deadline passes. */
export const storiesOfDeadlines: readonly Story[] = [
  {
    name: "an instance whose deadline passes",
    statements: ["stage", "claim", "turn"],
    before: ({ hephaestus }) => hephaestus.start(limited, "one", undefined),
    async act(url) {
      const hephaestus = engine(url);
      await hephaestus.work(often).ready;
      await (await hephaestus.handle(limited, "one"))!.result();
    },
    async finish({ hephaestus, work, sql }) {
      await work();
      const end = await (await hephaestus.handle(limited, "one"))!.result();
      assertEquals([end.status, end.error?.code], ["failed", "DEADLINE"]);
      const { revision } = (await hephaestus.get(limited, "one"))!;
      assertEquals([revision, (await hephaestus.history(limited, "one")).length], [2, 0]);
      assertEquals((await sql`select from hephaestus.jobs`).length, 0);
    },
  },
  ...[true, false].map((inline): Story => ({
    name: `a step that fails by its deadline, ${inline ? "inline" : "through jobs"}`,
    statements: ["turn", "the user's effect", "commit", ...(inline ? [] : ["record"])],
    before: ({ hephaestus }) => hephaestus.start(hurried, "one", undefined),
    async act(url) {
      const hephaestus = engine(url, { inline });
      await hephaestus.work(often).ready;
      await (await hephaestus.handle(hurried, "one"))!.result();
    },
    async finish(stage) {
      await stage.work();
      await completes(stage, hurried, "one", ["look", "hasty", "finish"]);
      const history = await stage.hephaestus.history(hurried, "one");
      assertEquals((history[1]?.output as { code?: string }).code, "DEADLINE");
    },
  })),
];
