import { execFile } from "node:child_process";
import process from "node:process";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { assertEquals } from "@std/assert";
import { program, root } from "../programs.ts";

const execute = promisify(execFile);

describe("the onboarding example", () => {
  it("ends the reminders of a user with the click, and the invitation after 14 days", async () => {
    const command = [...program("examples/onboarding/main.ts")];

    const { stdout } = await execute(process.execPath, command, { cwd: root });

    assertEquals(JSON.parse(stdout.trimEnd().split("\n").at(-1)!), {
      ada: {
        status: "completed",
        outcome: "active",
        mails: ["invitation", "welcome"],
        dropped: ["day1"],
      },
      bob: {
        status: "completed",
        outcome: "active",
        mails: ["invitation", "reminder", "welcome"],
        dropped: ["day3"],
      },
      eve: {
        status: "completed",
        outcome: "closed",
        mails: ["invitation", "reminder", "reminder"],
        dropped: [],
        reason: "not clicked for 14 days",
      },
    });
  });
});
