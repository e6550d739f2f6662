import { spawn } from "node:child_process";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { assertEquals } from "@std/assert";
import { migrated } from "../pg.ts";

const instances = Number(process.env.LARGE_INSTANCES ?? 8_000);
const program = fileURLToPath(new URL("./large.ts", import.meta.url));

describe("a process with a small heap", () => {
  it("works on thousands of instances with large inputs", async () => {
    await using database = await migrated();
    const child = spawn(
      "node",
      ["--max-old-space-size=256", "--import", "tsx", program, database.url, String(instances)],
      { stdio: "inherit" },
    );

    const code = await new Promise((resolve) => child.once("close", resolve));

    assertEquals(code, 0);
    const [row] = await database.sql`
      select count(*)::int as completed from hephaestus.workflow_instances where status = 'completed'`;
    assertEquals(row?.completed, instances);
  });
});
