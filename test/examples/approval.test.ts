import { execFile } from "node:child_process";
import process from "node:process";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { assertEquals } from "@std/assert";
import { program, root } from "../programs.ts";

const execute = promisify(execFile);
const asked = "manager: please decide";
const escalated = "director: please decide";
const reminders = (times: number) => Array(times).fill("manager: reminder");

describe("the approval example", () => {
  it("ends with the first decision, and with a failure when nobody decides", async () => {
    const command = [...program("examples/approval/main.ts")];

    const { stdout } = await execute(process.execPath, command, { cwd: root });

    assertEquals(JSON.parse(stdout.trimEnd().split("\n").at(-1)!), {
      chair: {
        status: "completed",
        outcome: "bought",
        mails: [asked],
        dropped: ["day", "patience"],
      },
      desk: {
        status: "completed",
        outcome: "refused",
        mails: [asked, ...reminders(3), escalated, ...reminders(1), "requester: refused"],
        dropped: ["day", "manager"],
      },
      lamp: {
        status: "completed",
        outcome: "bought",
        mails: [asked, ...reminders(3), escalated, ...reminders(1)],
        dropped: ["day", "director"],
      },
      car: {
        status: "failed",
        code: "DEADLINE",
        mails: [asked, ...reminders(3), escalated, ...reminders(2)],
        dropped: [],
      },
    });
  });
});
