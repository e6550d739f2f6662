import { assertEquals, assertStringIncludes } from "@std/assert";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import process from "node:process";
import { describe, it } from "node:test";
import { setImmediate } from "node:timers";
import type { Logger } from "../../src/observe/logger.ts";
import type { JobCancel } from "../../src/core/events.ts";
import { Telemetry } from "../../src/observe/telemetry.ts";

function recording(): { readonly logger: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  const write = (message: string): void => {
    lines.push(message);
  };
  return { lines, logger: { debug: write, info: write, warn: write, error: write } };
}

describe("Telemetry", () => {
  it("tells a listener until it leaves", () => {
    const telemetry = new Telemetry();
    const heard: string[] = [];
    const leave = telemetry.on("job:cancel", ({ job }) => {
      heard.push(job);
    });

    telemetry.emit("job:cancel", { job: "1" });
    leave();
    telemetry.emit("job:cancel", { job: "2" });

    assertEquals(heard, ["1"]);
  });

  it("has nobody until somebody listens, and nobody after", () => {
    const telemetry = new Telemetry();
    assertEquals(telemetry.has("job:cancel"), false);

    const leave = telemetry.on("job:cancel", () => {});
    assertEquals(telemetry.has("job:cancel"), true);
    assertEquals(telemetry.has("job:stop"), false);

    leave();
    assertEquals(telemetry.has("job:cancel"), false);
  });

  it("is not harmed by listeners that throw or reject, and reports each once", async () => {
    const { logger, lines } = recording();
    const telemetry = new Telemetry(logger);
    const heard: string[] = [];
    telemetry.on("job:cancel", () => {
      throw new Error("no");
    });
    telemetry.on("job:cancel", () => Promise.reject(undefined));
    telemetry.on("job:cancel", ({ job }) => {
      heard.push(job);
    });

    for (const job of ["1", "2", "3"]) telemetry.emit("job:cancel", { job });
    await new Promise((resolve) => setImmediate(resolve));

    assertEquals(heard, ["1", "2", "3"]);
    assertEquals(lines.length, 2);
    assertStringIncludes(lines[0] ?? "", 'Cannot notify a listener of "job:cancel"');
  });

  it("is not harmed by a logger that throws or rejects", async () => {
    const fail = (): never => {
      throw new Error("disk full");
    };
    const reject = (): Promise<never> => Promise.reject(new Error("disk full"));
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => {
      unhandled.push(reason);
    };
    process.on("unhandledRejection", note);

    for (const error of [fail, reject]) {
      const telemetry = new Telemetry({ debug: fail, info: fail, warn: fail, error });
      telemetry.on("job:cancel", () => {
        throw new Error("no");
      });
      telemetry.emit("job:cancel", { job: "1" });
    }
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", note);

    assertEquals(unhandled, []);
  });

  it("does not call a listener that another one has added for the same event", () => {
    const telemetry = new Telemetry();
    let calls = 0;
    const breed = (): void => {
      calls++;
      telemetry.on("job:cancel", () => breed());
    };
    telemetry.on("job:cancel", breed);

    telemetry.emit("job:cancel", { job: "1" });

    assertEquals(calls, 1);
  });

  it("publishes to the channel of the event, and counts its subscribers", () => {
    const telemetry = new Telemetry();
    const heard: unknown[] = [];
    const listener = (payload: unknown): void => {
      heard.push(payload);
    };
    const payload: JobCancel = { job: "1" };

    subscribe("hephaestus:job:cancel", listener);
    assertEquals(telemetry.has("job:cancel"), true);
    telemetry.emit("job:cancel", payload);
    unsubscribe("hephaestus:job:cancel", listener);
    telemetry.emit("job:cancel", payload);

    assertEquals(heard, [payload]);
    assertEquals(telemetry.has("job:cancel"), false);
  });
});
