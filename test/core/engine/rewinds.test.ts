import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { again, done, drop, first, signal, step, timer, type, workflow } from "../../../mod.ts";
import { activationBy, activationKey } from "../../../src/core/engine/activation.ts";
import { fold } from "../../../src/core/engine/by_hand/fold.ts";
import { startedAgain, unused } from "../../../src/core/engine/by_hand/restart.ts";
import { takeBack } from "../../../src/core/engine/by_hand/taken_back.ts";
import { encodeControl } from "../../../src/core/engine/control.ts";
import { advance, open } from "../../../src/core/engine/engine.ts";
import type { Progress } from "../../../src/core/engine/progress.ts";
import type { Graph } from "../../../src/core/graph/graph.ts";

const work = step("work", { events: { ok: type(), no: type() }, run: ({ emit }) => emit.ok() });
const [a, b, c, d] = [work.as("a"), work.as("b"), work.as("c"), work.as("d")];

/** An instance in which steps have ended one after the other: `"a.ok"`, or `"a#2.ok"`. */
function told(graph: Graph, ...endings: readonly string[]) {
  const nothing = { output: undefined, metadata: undefined };
  let progress: Progress = open(graph, () => undefined);
  const history = endings.map((text, at) => {
    const [key = "", event = ""] = text.split(".");
    const ending = { ...activationBy(key), event, ...nothing };
    progress = advance(graph, progress.control, [ending], () => undefined);
    return { ...ending, revision: at + 2 };
  });
  return { control: progress.control, history, past: fold(graph, history) };
}

/** What a rewind to an activation starts, and the control in which it does. */
function rewound(graph: Graph, to: string, ...endings: readonly string[]) {
  const { control, history, past } = told(graph, ...endings);
  const back = takeBack(graph, control, past, activationBy(to));
  if (back === undefined) return undefined;
  const started = unused(graph, back.control, back.again, history);
  return {
    started: started.map(activationKey),
    keys: [...back.keys],
    withdrawn: back.withdrawn.map(activationKey),
    control: encodeControl(startedAgain(graph, back.control, started, back.fresh)),
  };
}

describe("an instance that goes back to a step", () => {
  const clicked = signal("clicked", { events: { yes: type() } });
  const day = timer("day", "1d");
  const reminding = workflow("reminding", { key: "id", input: type(), start: a })
    .on(a, { ok: [clicked, day], no: done })
    .on(clicked, { yes: [b, drop(day)] })
    .on(day, { elapsed: c })
    .on(c, { ok: d, no: done })
    .on(d, { ok: done, no: done })
    .on(b, { ok: done, no: done })
    .build().graph;

  it("begins a branch again that what is taken back had dropped", () => {
    const back = rewound(reminding, "clicked", "a.ok", "clicked.yes");

    assertEquals(back, {
      started: ["clicked#2", "day#2"],
      keys: ["clicked", "b"],
      withdrawn: ["b"],
      control: '{"active":{"clicked":"a@2","day":"a@2@1"},"restarted":{"clicked":1,"b":1,"day":1}}',
    });
  });

  it("does not go back to what was dropped since", () => {
    assertEquals(rewound(reminding, "c", "a.ok", "day.elapsed", "c.ok", "clicked.yes"), undefined);
  });

  it("does not go back to a step that its loop has left behind", () => {
    const { graph } = workflow("looping", { key: "id", input: type(), start: a })
      .on(a, { ok: b, no: c })
      .on(b, { ok: done, no: first(d) })
      .on(c, { ok: done, no: first(d) })
      .on(d, { ok: again(a, { limit: 3, then: done }), no: done })
      .build();

    const ended = ["a.ok", "b.no", "d.ok", "a#2.no", "c#2.no", "d#2.ok"];
    const back = rewound(graph, "b", ...ended);

    assertEquals(back?.keys, ["b", "d", "a#2", "c#2", "d#2", "a#3"]);
    assertEquals(back?.started, ["b#4"]);
    assertEquals(
      back?.control,
      '{"active":{"b":"a@4"},"rounds":{"a":[2,0]},"restarted":{"b":1,"d":1,"a":1,"c":1}}',
    );
  });

  it("starts a step for another cause, if the one that came first is taken back", () => {
    const { graph } = workflow("first", { key: "id", input: type(), start: a })
      .on(a, { ok: [b, c], no: done })
      .on(b, { ok: first(d), no: done })
      .on(c, { ok: first(d), no: done })
      .on(d, { ok: done, no: done })
      .build();

    const back = rewound(graph, "b", "a.ok", "b.ok", "c.ok");

    assertEquals(back?.started, ["b#2", "d#2"]);
    assertEquals(
      back?.control,
      '{"active":{"b":"a@2","d":"c@2"},"restarted":{"b":1,"d":1},"begun":["d"]}',
    );
  });
});
