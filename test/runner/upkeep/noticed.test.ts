import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { done, Hephaestus, step, timer, type, workflow } from "../../../mod.ts";
import type { Storage } from "../../../src/backend/storage.ts";
import { memory } from "../../../src/testing/mod.ts";
import { eventually, Gate, keeping, silent } from "../../everywhere.ts";

/** What was said, but for a busy machine's late heartbeats. */
const sentences = (said: readonly string[]) =>
  said.map((line) => line.replace(/ \{.*/, "")).filter((line) => !line.includes("heartbeat"));

const gates = new Map<string, Gate>();
const charge = step("charge", {
  events: { ok: type() },
  retry: { attempts: 2, base: 0 },
  async run({ attempt, instance, emit }) {
    await gates.get(instance.key === "orderid::later" ? "later" : `attempt ${attempt}`)?.opened;
    if (attempt === 1) throw new Error("declined");
    return emit.ok();
  },
});
const order = workflow("order", { key: "orderid", input: type(), start: charge })
  .on(charge, { ok: done })
  .build();

describe("a step that runs for long", () => {
  it("is told of once, with workflow, key and step, and again in another attempt", async () => {
    gates.set("attempt 1", new Gate()).set("attempt 2", new Gate()).set("later", new Gate());
    const logger = keeping();
    const told = () => sentences(logger.said).filter((line) => line.includes("has been running"));
    await using hephaestus = new Hephaestus({ backend: memory(), workflows: [order], logger });
    hephaestus.work({ poll: "10ms", warnAfter: "20ms" });
    const handle = await hephaestus.start(order, "abc123", undefined);

    await eventually(() => told().length > 0, "the first attempt is told of");
    // When this one is told of, the first one was looked at again.
    await hephaestus.start(order, "later", undefined);
    await eventually(() => told().some((line) => line.includes('"later"')), "so is another step");
    gates.get("attempt 1")?.open();
    await eventually(() => told().some((line) => line.includes("attempt 2")), "so is the second");
    gates.get("attempt 2")?.open();
    await handle.result();
    gates.get("later")?.open();

    assertEquals(told().map((line) => line.replace(/\d+ s/, "n s")), [
      'Step "charge" of order "abc123" has been running for n s (attempt 1)',
      'Step "charge" of order "later" has been running for n s (attempt 1)',
      'Step "charge" of order "abc123" has been running for n s (attempt 2)',
    ]);
  });

  it("is not told of where that is switched off", async () => {
    gates.set("attempt 1", new Gate());
    const backend = memory();
    const [quiet, loud] = [keeping(), keeping()];
    await using first = new Hephaestus({ backend, workflows: [order], logger: quiet });
    await using second = new Hephaestus({ backend: memory(), workflows: [order], logger: loud });
    first.work({ poll: "10ms", warnAfter: false });
    second.work({ poll: "10ms", warnAfter: "20ms" });

    await first.start(order, "abc123", undefined);
    await second.start(order, "abc123", undefined);

    await eventually(() => sentences(loud.said).length > 0, "the other one is told of");
    assertEquals(sentences(quiet.said), []);
    gates.get("attempt 1")?.open();
    assertThrows(() => first.work({ warnAfter: "soon" as never }), TypeError);
  });
});

const send = step("send", {
  queue: "emails",
  events: { ok: type() },
  run: ({ emit }) => emit.ok(),
});
const nap = timer("nap", "1ms");
const mail = workflow("mail", { key: "id", input: type(), start: send })
  .on(send, { ok: done })
  .build();
const later = workflow("later", { key: "id", input: type(), start: nap })
  .on(nap, { elapsed: done })
  .build();

/** A backend that counts how often somebody has looked for what nobody can take. */
function looking() {
  const backend = memory() as Storage & ReturnType<typeof memory>;
  let looks = 0;
  const counted: Storage = {
    ...backend,
    queue: { ...backend.queue, unserved: () => (looks++, backend.queue.unserved()) },
  };
  return { backend, counted, looks: () => looks };
}

/** What a worker says of what nobody can take. */
async function said(
  workflows: readonly (typeof mail | typeof later | typeof order)[],
  start: (starter: Hephaestus) => Promise<unknown>,
  queues: { readonly [queue: string]: number },
  starterQueues = {},
): Promise<string> {
  const { backend, counted, looks } = looking();
  await using starter = new Hephaestus({
    backend,
    workflows: [mail, later, order],
    queues: starterQueues,
    logger: silent,
  });
  await start(starter);
  const logger = keeping();
  await using hephaestus = new Hephaestus({ backend: counted, workflows, logger });
  hephaestus.work({ poll: "10ms", lease: "40ms", heartbeat: "10ms", queues });
  await eventually(
    () => sentences(logger.said).length > 0 && looks() >= 4,
    "it has looked four times",
  );
  return sentences(logger.said).join("\n");
}

describe("due jobs that no living process can take", () => {
  it("are told of once when their queue is misspelt", async () => {
    for (const queue of ["email", "Emails"]) {
      assertEquals(
        await said([mail], (starter) => starter.start(mail, "a", undefined), { [queue]: 1 }),
        'No live process serves queue "emails": 1 job is due, for example step "send" of "mail"; ' +
          `served queues: "${queue}"`,
      );
    }
  });

  it("are told of once when a worker serves no queue", async () => {
    assertEquals(
      await said([mail], (starter) => starter.start(mail, "a", undefined), {}),
      'No live process serves queue "emails": 1 job is due, for example step "send" of "mail"',
    );
  });

  it("are told of once when the queue of timers is served by nobody", async () => {
    const start = (starter: Hephaestus) => starter.start(later, "a", undefined);
    assertEquals(
      await said([later], start, { default: 1 }, { resume: "timers" }),
      'No live process serves queue "timers": 1 job is due, for example step "nap" of "later"; ' +
        'served queues: "default"',
    );
  });

  it("are told of once when nobody has their code", async () => {
    const start = (starter: Hephaestus) => starter.start(order, "a", undefined);
    assertEquals(
      await said([mail], start, { default: 1 }),
      'No live process has the code of workflow "order" version 1: 1 job is due in queue "default", ' +
        'for example step "charge" of "order"',
    );
  });

  it("are told of again when they had gone and come back", async () => {
    const { backend, counted, looks } = looking();
    await using starter = new Hephaestus({ backend, workflows: [mail], logger: silent });
    const logger = keeping();
    await using hephaestus = new Hephaestus({ backend: counted, workflows: [mail], logger });
    hephaestus.work({ poll: "10ms", lease: "200ms", heartbeat: "10ms", queues: { email: 1 } });
    for (let round = 1; round <= 2; round++) {
      const handle = await starter.start(mail, `n${round}`, undefined);
      await eventually(() => sentences(logger.said).length === round, "it is told");
      const worker = starter.work({ poll: "10ms", queues: { emails: 1 } });
      await handle.result();
      const before = looks();
      await eventually(() => looks() >= before + 2, "it was seen that they are gone");
      await worker.stop();
    }

    assertEquals(sentences(logger.said).length, 2);
  });
});
