import { type Channel, channel } from "node:diagnostics_channel";
import type { EventName, Events, Listener } from "../core/events.ts";
import { failure } from "../core/value/failure.ts";
import { settled } from "../core/value/promise.ts";
import { callUserCode } from "../core/value/user_code.ts";
import { defaultLogger, guarded, type Logger } from "./logger.ts";

type Listeners = { readonly [Name in EventName]: Set<Listener<Name>> };

/**
 * Emits events to listeners and to the channels `hephaestus:<event>` of node:diagnostics_channel.
 * Errors of listeners are logged and have no other effect. Node turns an error in a channel
 * subscriber into an uncaught exception.
 */
export class Telemetry {
  readonly #listeners: Listeners = noListeners();
  readonly #channels = new Map<EventName, Channel>();
  readonly #reported = new WeakSet<object>();
  readonly #logger: Logger;

  constructor(logger: Logger = defaultLogger) {
    this.#logger = guarded(logger);
  }

  /** Calls `listener` whenever `name` happens. Call the returned function to stop. */
  on<Name extends EventName>(name: Name, listener: Listener<Name>): () => void {
    const listeners: Set<Listener<Name>> | undefined = this.#listeners[name];
    if (listeners === undefined) {
      throw new TypeError(
        `Cannot listen to "${String(name)}": there is no such event. Events are ${
          Object.keys(this.#listeners).join(", ")
        }`,
      );
    }
    if (typeof listener !== "function") {
      throw new TypeError(`Cannot listen to "${name}": the listener is not a function`);
    }
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }

  /** Whether the event has a listener or subscriber. If not, the payload need not be created. */
  has(name: EventName): boolean {
    return this.#listeners[name].size > 0 || this.#channel(name).hasSubscribers;
  }

  emit<Name extends EventName>(name: Name, payload: Events[Name]): void {
    const listeners: ReadonlySet<Listener<Name>> = this.#listeners[name];
    // Iterates over a copy, because a listener may add another one.
    if (listeners.size > 0) {
      for (const listener of [...listeners]) this.#notify(name, listener, payload);
    }
    const channel = this.#channel(name);
    if (channel.hasSubscribers) callUserCode(() => channel.publish(payload));
  }

  async #notify<Name extends EventName>(
    name: Name,
    listener: Listener<Name>,
    payload: Events[Name],
  ): Promise<void> {
    try {
      await settled(callUserCode(listener, payload));
    } catch (error) {
      if (this.#reported.has(listener)) return;
      this.#reported.add(listener);
      this.#logger.error(
        `Cannot notify a listener of "${name}": it failed. Its further failures are not reported`,
        { error: failure(error) },
      );
    }
  }

  #channel(name: EventName): Channel {
    let found = this.#channels.get(name);
    if (found === undefined) {
      found = channel(`hephaestus:${name}`);
      this.#channels.set(name, found);
    }
    return found;
  }
}

function noListeners(): Listeners {
  return {
    "workflow:start": new Set(),
    "workflow:stop": new Set(),
    "workflow:exception": new Set(),
    "workflow:retry": new Set(),
    "workflow:rewind": new Set(),
    "workflow:fork": new Set(),
    "workflow:transition": new Set(),
    "workflow:undo": new Set(),
    "step:start": new Set(),
    "step:stop": new Set(),
    "step:exception": new Set(),
    "step:async": new Set(),
    "step:drop": new Set(),
    "step:resume": new Set(),
    "advance": new Set(),
    "runner:init": new Set(),
    "job:claim": new Set(),
    "job:stop": new Set(),
    "job:retry": new Set(),
    "job:snooze": new Set(),
    "job:discard": new Set(),
    "job:cancel": new Set(),
    "job:rescue": new Set(),
  };
}
