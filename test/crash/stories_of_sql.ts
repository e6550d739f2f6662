import { assertEquals } from "@std/assert";
import { eventually } from "../everywhere.ts";
import { asking } from "./roads.ts";
import { often } from "./stories_of_workers.ts";
import { completes, engine, type Stage, type Story } from "./story.ts";

/** A worker has been there, and SQL has started an instance and delivered twice, once what cannot be taken. */
async function called({ url, sql }: Stage): Promise<void> {
  await using hephaestus = engine(url);
  await hephaestus.work(often).ready;
  await hephaestus.close();
  await sql`select hephaestus.start('asking', 'one', version => 1)`;
  await sql`select hephaestus.deliver('asking', 'one', 'yes', 'said', activation => 7)`;
  await sql`select hephaestus.deliver('asking', 'one', 'yes', 'said')`;
  await sql`select hephaestus.deliver('asking', 'one', 'both', 'said')`;
}

/** What workers do with what SQL has started and delivered. */
export const storiesOfSql: readonly Story[] = [{
  name: "a start and deliveries from SQL",
  statements: [
    ...["announce", "begin what SQL has started", "discard a delivery", "deliver", "pass", "turn"],
  ],
  before: called,
  async act(url) {
    const hephaestus = engine(url);
    await hephaestus.work(often).ready;
    await (await hephaestus.handle(asking, "one"))!.result();
  },
  async finish(stage) {
    const { sql } = stage;
    await stage.work();
    await eventually(async () => {
      const rows = await sql`delete from hephaestus.jobs where state = 'discarded' returning id`;
      return rows.length === 1;
    }, "what cannot be taken is discarded");
    await completes(stage, asking, "one", ["fork", "yes", "both", "end"]);
    const [instance] = await sql`select input from hephaestus.workflow_instances`;
    assertEquals(instance?.input, null);
  },
}];
