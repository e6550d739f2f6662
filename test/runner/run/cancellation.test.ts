import process from "node:process";
import { describe, it } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import { done, step, type, workflow } from "../../../mod.ts";
import { Cancellation } from "../../../src/runner/run/cancellation.ts";
import { everywhere } from "../../everywhere.ts";

const given = step("given", {
  events: { ok: type() },
  // deno-lint-ignore no-explicit-any
  run: ({ emit }): any => ({
    then(resolve: (value: unknown) => void) {
      setTimeout(resolve, 1, emit.ok());
    },
  }),
});
const flow = workflow("flow", { key: "id", input: type(), start: given })
  .on(given, { ok: done })
  .build();

everywhere("a step that returns something with a then that returns nothing", (it) => {
  it("is awaited", { workflows: [flow] }, async ({ hephaestus, work }) => {
    await work();

    const end = await (await hephaestus.start(flow, "one", undefined)).result();

    assertEquals([end.status, end.error], ["completed", undefined]);
    const [entry] = await hephaestus.history(flow, "one");
    assertEquals(entry?.attempts, 1);
  });
});

const timers = () =>
  process.getActiveResourcesInfo?.().filter((kind) => kind === "Timeout").length ?? 0;

describe("code that is left behind", () => {
  it("keeps no timer of its limit", async () => {
    const cancellation = new Cancellation();
    const before = timers();
    const running = cancellation.run(
      { milliseconds: 600_000, reason: () => new Error("late") },
      () => new Promise(() => {}),
    );

    cancellation.abort(new Error("It is over"));

    await assertRejects(() => running as Promise<unknown>, Error, "It is over");
    assertEquals(timers(), before);
  });

  it("is left behind too when it was aborted before it waited, and its rejection is heard", async () => {
    const unhandled: unknown[] = [];
    const keep = (reason: unknown) => void unhandled.push(reason);
    process.on("unhandledRejection", keep);
    const cancellation = new Cancellation();

    const running = cancellation.run(undefined, () => {
      cancellation.abort(new Error("It is over"));
      return Promise.reject(new Error("It comes too late"));
    });

    await assertRejects(() => running as Promise<unknown>, Error, "It is over");
    await new Promise((resolve) => setTimeout(resolve));
    process.off("unhandledRejection", keep);
    assertEquals(unhandled, []);
  });
});
