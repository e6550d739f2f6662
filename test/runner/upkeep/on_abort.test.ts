import { assertEquals } from "@std/assert";
import { getEventListeners } from "node:events";
import { describe, it } from "node:test";
import { onAbort } from "../../../src/runner/upkeep/on_abort.ts";

describe("onAbort", () => {
  it("has one listener for all who wait, and none when nobody does", () => {
    const { signal } = new AbortController();
    const listeners = () => getEventListeners(signal, "abort").length;
    const forget = Array.from({ length: 15 }, () => onAbort(signal, () => {}));
    assertEquals(listeners(), 1);
    for (const one of forget.slice(1)) one();
    assertEquals(listeners(), 1);
    forget[0]!();
    forget[0]!();
    assertEquals(listeners(), 0);
    onAbort(signal, () => {});
    assertEquals(listeners(), 1);
  });

  it("tells everybody once, but for those who left, even while it tells", () => {
    const controller = new AbortController();
    const heard: string[] = [];
    const last = { forget: () => {} };
    const both = () => void heard.push("twice");
    onAbort(controller.signal, both);
    onAbort(controller.signal, both);
    onAbort(controller.signal, () => {
      heard.push("first");
      last.forget();
    });
    last.forget = onAbort(controller.signal, () => void heard.push("last"));

    controller.abort();
    controller.abort();

    assertEquals(heard, ["twice", "twice", "first"]);
    onAbort(controller.signal, () => void heard.push("late"));
    assertEquals(heard.at(-1), "late");
  });
});
