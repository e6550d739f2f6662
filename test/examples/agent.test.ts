import { execFile } from "node:child_process";
import process from "node:process";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { assertEquals } from "@std/assert";
import { program, root } from "../programs.ts";

const execute = promisify(execFile);

describe("the agent example", () => {
  it("ends a chat with an answer, with a summary when it has cost too much, or with nothing", async () => {
    const command = [...program("examples/agent/main.ts")];

    const { stdout } = await execute(process.execPath, command, { cwd: root });

    assertEquals(JSON.parse(stdout.trimEnd().split("\n").at(-1)!), {
      weather: {
        status: "completed",
        outcome: "answer",
        output: 'two results for "What is the weather in Rome?"',
        rounds: 2,
      },
      flight: { status: "completed", outcome: "answer", output: "the first one", rounds: 3 },
      hotel: {
        status: "completed",
        outcome: "nothing",
        output: "Nobody has answered the question of the model",
        rounds: 2,
      },
      offers: {
        status: "completed",
        outcome: "summary",
        output: [1, 2, 3].map((offer) => `two results for "offer ${offer}"`).join("; "),
        rounds: 4,
      },
    });
  });
});
