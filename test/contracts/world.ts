import { it as nodeIt } from "node:test";
import { randomUUID } from "node:crypto";
import { assertExists } from "@std/assert";
import { emptyControl, encodeControl } from "../../src/core/engine/control.ts";
import { FAILED } from "../../src/core/engine/progress.ts";
import type { Instance } from "../../src/core/engine/instance.ts";
import type { Job, NewJob } from "../../src/backend/job.ts";
import type { Demand, Lease } from "../../src/backend/queue.ts";
import type { Storage } from "../../src/backend/storage.ts";
import type { InstanceState, NewInstance } from "../../src/backend/store.ts";
import type { NewDelivery, NewResult, Recorded, Recording, Turn } from "../../src/backend/turn.ts";
import type { StoredJob } from "../../src/memory/clock.ts";

/** A backend to be tested, with nothing in it yet. */
export interface World extends AsyncDisposable {
  readonly backend: Storage;
  /** Lets time pass for the backend, and none for the test. */
  elapse(milliseconds: number): Promise<void>;
  /** The jobs that are there, in the order of their ids. */
  jobs(): Promise<readonly StoredJob[]>;
}

export type Setup = () => Promise<World>;

export type It = (name: string, test: (scene: Scene) => Promise<void>) => void;

/** `it` with a world of its own for each test. */
export function itIn(setup: Setup): It {
  return (name, test) =>
    void nodeIt(name, async () => {
      await using world = await setup();
      await test(await sceneIn(world));
    });
}

export type Scene = Awaited<ReturnType<typeof sceneIn>>;

const workflow = "order";
const wake = { queue: "default", workflow, version: 1 };
let time = Date.now();

/** A UUIDv7, greater than all before it. */
export function newId(): string {
  const stamp = (++time).toString(16).padStart(12, "0");
  return `${stamp.slice(0, 8)}-${stamp.slice(8)}-7${randomUUID().slice(15)}`;
}

/** Control state in which these steps are active. */
export function activeIn(...steps: readonly string[]): string {
  return encodeControl({
    ...emptyControl,
    active: new Map(steps.map((step) => [step, { activation: 1, cause: "" }])),
  });
}

export function result(step: string, part: Partial<NewResult> = {}): NewResult {
  return {
    step,
    activation: 1,
    waits: false,
    event: "ok",
    output: undefined,
    metadata: undefined,
    attempt: 1,
    errors: undefined,
    duration: undefined,
    ...part,
  };
}

export function recorded(
  step: string,
  { causes = [], ...part }: Partial<NewResult> & { readonly causes?: readonly string[] } = {},
): Recorded {
  return { result: result(step, part), causes };
}

export function turn(instance: string, part: Partial<Turn> = {}): Turn {
  return {
    instance,
    version: 1,
    revision: 1,
    status: "running",
    control: activeIn(),
    metadata: undefined,
    error: undefined,
    recorded: [],
    processed: [],
    settled: [],
    discarded: [],
    resolved: [],
    started: [],
    reused: undefined,
    wake: undefined,
    bare: false,
    ...part,
  };
}

export function delivery(
  instance: string,
  step: string,
  part: Partial<NewDelivery> = {},
): NewDelivery {
  return {
    id: newId(),
    instance,
    version: 1,
    graph: "1",
    step,
    activation: 1,
    loops: [],
    branches: [],
    event: "approved",
    output: undefined,
    metadata: undefined,
    wake,
    ...part,
  };
}

export function leaseOf(job: Job, process: string): Lease {
  return { process, id: job.id, token: job.token };
}

export function recording(job: Job, process: string, part: Partial<Recording> = {}): Recording {
  return {
    ...result(job.step ?? "pack", { attempt: job.attempt }),
    instance: job.instance,
    version: job.version,
    lease: leaseOf(job, process),
    wake,
    ...part,
  };
}

/** The turn in which an instance fails because the attempts of a job are used up. */
export function failing(job: Job, part: Partial<Turn> = {}): Turn {
  const errors = JSON.stringify([{ name: "Error", message: "out of tape" }]);
  const failed = { event: FAILED, attempt: job.attempt, errors, duration: 5 };
  return turn(job.instance, {
    status: "failed",
    error: JSON.stringify({ name: "Error", message: "out of tape" }),
    recorded: [recorded(job.step ?? "pack", failed)],
    discarded: [{ id: job.id, errors }],
    ...part,
  });
}

/** The turn in which an instance is cancelled, as it stands. */
export function cancelled({ id, revision }: InstanceState, part: Partial<Turn> = {}): Turn {
  const error = JSON.stringify({ name: "Error", message: "duplicate order" });
  return turn(id, { revision, status: "cancelled", error, ...part });
}

/** The world, with words for what happens in it. */
export async function sceneIn(world: World) {
  const { queue, store } = world.backend;
  let { from: nextJob } = await queue.reserveIds();

  const job = (part: Partial<NewJob> = {}): NewJob => ({
    id: String(nextJob++),
    kind: "execute",
    workflow,
    version: 1,
    instance: newId(),
    step: "pack",
    activation: 1,
    queue: "default",
    priority: 5,
    maxAttempts: 5,
    delay: 0,
    owned: false,
    args: undefined,
    ...part,
  });

  const instance = (part: Partial<NewInstance> = {}): NewInstance => ({
    id: newId(),
    workflow,
    version: 1,
    graph: "1",
    key: "orderid::abc123",
    uniqueKey: undefined,
    status: "running",
    control: activeIn("pack"),
    tags: [],
    metadata: "{}",
    error: undefined,
    input: "{}",
    recorded: [],
    started: [],
    ...part,
  });

  const scene = {
    queue,
    store,
    elapse: world.elapse,
    jobs: world.jobs,
    job,
    instance,

    register: (lease = 30_000): Promise<string> => queue.register("tester", lease),

    /** Puts jobs into the queue and returns them. */
    async enqueue(...parts: readonly Partial<NewJob>[]): Promise<readonly NewJob[]> {
      const jobs = parts.map(job);
      for (const one of jobs) await store.schedule(one);
      return jobs;
    },

    /** Opens an instance with these jobs and returns its id. */
    async open(part: Partial<NewInstance> = {}, ...jobs: readonly Partial<NewJob>[]) {
      const id = part.id ?? newId();
      const started = jobs.map((one) => job({ instance: id, ...one }));
      await store.open(undefined, [instance({ ...part, id, started })]);
      return id;
    },

    claim(process: string, part: Partial<Demand> = {}): Promise<readonly Job[]> {
      const serves = [{ workflow, version: 1 }];
      return queue.claim({ process, queue: "default", limit: 10, serves, ...part });
    },

    /** Claims the one job that is there. */
    async claimOne(process: string): Promise<Job> {
      const [claimed] = await scene.claim(process, { limit: 1 });
      assertExists(claimed);
      return claimed;
    },

    async known(id: string): Promise<InstanceState> {
      const [known] = await store.read([id]);
      assertExists(known);
      return known;
    },

    async listed(id: string): Promise<Instance> {
      const [listed] = await store.list({ ids: [id], limit: 1 });
      assertExists(listed);
      return listed;
    },

    async jobsOf(id: string): Promise<readonly StoredJob[]> {
      return (await world.jobs()).filter((one) => one.instance === id);
    },

    /** How the jobs of an instance stand, as sorted texts such as `"execute pack available"`. */
    async standing(id: string): Promise<readonly string[]> {
      const jobs = await scene.jobsOf(id);
      return jobs.map((one) => `${one.kind} ${one.step ?? "-"} ${one.state}`).sort();
    },

    /** An instance of which one advance executes and another waits. Returns the claimed one. */
    async twoAdvances(process: string): Promise<{ readonly id: string; readonly advance: Job }> {
      const id = await scene.open();
      await store.deliver(delivery(id, "approval"));
      const advance = await scene.claimOne(process);
      await store.deliver(delivery(id, "payment"));
      return { id, advance };
    },
  };
  return scene;
}

/** What is known of an instance as plain values, to be compared. */
export function plain(known: InstanceState) {
  return { ...known, control: encodeControl(known.control) };
}

/** Waits until `condition` holds. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error("Waited 20 s in vain");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
