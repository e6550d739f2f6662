import { memoryBackend } from "../../src/memory/backend.ts";
import { fakeClock } from "../../src/testing/clock.ts";
import { queueContract } from "../contracts/queue.ts";
import { storeContract } from "../contracts/store.ts";
import type { World } from "../contracts/world.ts";

function setup(): Promise<World> {
  const clock = fakeClock();
  const backend = memoryBackend({ clock });
  return Promise.resolve({
    backend,
    elapse: (milliseconds) => Promise.resolve(clock.advance(`${milliseconds}ms`)),
    jobs: () => Promise.resolve(backend.jobs()),
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  });
}

queueContract("memory", setup);
storeContract("memory", setup);
