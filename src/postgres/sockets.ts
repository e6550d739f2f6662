import { Socket } from "node:net";
import { DatabaseError } from "./connection_error.ts";

/** Where the driver understood the server to be: several hosts are tried in turn. */
export interface Endpoint {
  readonly host: readonly string[];
  readonly port: readonly number[];
  readonly path?: string | false | undefined;
}

// Where to begin among several hosts: a standby accepts connections too.
const first = new Map<string, number>();
const name = ({ host, port }: Endpoint) => `${host} ${port}`;

/** The host of the last socket was no server to write to: the next one begins with the host after it. */
export function avoid(to: Endpoint, { host, port }: Reached): void {
  const at = to.host.findIndex((each, i) => each === host && to.port[i] === port);
  if (to.host.length > 1) first.set(name(to), (at + 1) % to.host.length);
}

/** Which of the hosts answered. */
export interface Reached {
  readonly host: string;
  readonly port: number;
}

/** Opens a socket within `patience` milliseconds; `signal` destroys it, while opening or later. */
export async function openSocket(
  to: Endpoint,
  patience: number,
  signal: AbortSignal,
): Promise<Socket & Reached> {
  let failure: unknown;
  const begin = first.get(name(to)) ?? 0;
  for (let i = 0; i < to.host.length; i++) {
    const at = (begin + i) % to.host.length;
    const [host, port] = [to.host[at]!, to.port[at] ?? 5432];
    try {
      const socket = await dial(to.path || undefined, host, port, patience, signal);
      // The driver reads `host` to name the server it expects when it upgrades to TLS.
      return Object.assign(socket, { host, port });
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

function dial(
  path: string | undefined,
  host: string,
  port: number,
  patience: number,
  signal: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const address = path ?? `${host}:${port}`;
    const socket = new Socket();
    const destroy = () => socket.destroy();
    const fail = (code: string, message: string) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", destroy);
      destroy();
      reject(new DatabaseError(code, message, { address }));
    };
    const timer = setTimeout(fail, patience, "CONNECT_TIMEOUT", `no connection to ${address}`);
    // Stays for the socket's whole life: an error without a listener ends the process.
    socket.on(
      "error",
      (error: NodeJS.ErrnoException) =>
        fail(error.code ?? "CONNECTION_CLOSED", error.message || `no connection to ${address}`),
    );
    socket.once(
      "close",
      () => fail("CONNECTION_CLOSED", `the connection to ${address} was closed`),
    );
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.setNoDelay(true);
      resolve(socket);
    });
    if (signal.aborted) return fail("CONNECTION_CLOSED", "the connection was given up");
    signal.addEventListener("abort", destroy, { once: true });
    if (path) socket.connect(path);
    else socket.connect(port, host);
  });
}
