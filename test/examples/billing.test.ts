import { execFile } from "node:child_process";
import process from "node:process";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { assertEquals } from "@std/assert";
import { program, root } from "../programs.ts";

const execute = promisify(execFile);

describe("the billing example", () => {
  it("charges a card, waits for a busy gateway, reminds, and gives back what an unpaid bill used", async () => {
    const command = [...program("examples/billing/main.ts")];

    const { stdout } = await execute(process.execPath, command, { cwd: root });

    const reminded = ["invoice numbered", "credit used", "charge failed", "dun __async__"];
    const charged = [...reminded.slice(0, 2), "charge charged"];
    const undone = ["~charge undone", "~credit undone", "~invoice undone"];
    const kept = { credit: 0, invoice: "kept" };
    assertEquals(JSON.parse(stdout.trimEnd().split("\n").at(-1)!), {
      ada: { outcome: "charged", status: "completed", steps: charged, waited: 0, ...kept },
      bob: { outcome: "charged", status: "completed", steps: charged, waited: 3, ...kept },
      cyd: {
        status: "completed",
        outcome: "paid",
        steps: [...reminded, "dun paid"],
        waited: 0,
        ...kept,
      },
      dan: {
        status: "undone",
        steps: [...reminded, "dun unpaid", ...undone],
        waited: 0,
        credit: 300,
        invoice: "given back",
      },
      eve: {
        status: "cancelled",
        steps: [...charged, ...undone],
        waited: 3,
        credit: 0,
        invoice: "given back",
      },
    });
  });
});
