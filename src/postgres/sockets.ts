import { Socket } from "node:net";
import { DatabaseError } from "./connection_error.ts";

/** Where the driver understood the server to be: several hosts are tried in turn. */
export interface Endpoint {
  readonly host: readonly string[];
  readonly port: readonly number[];
  readonly path?: string | false | undefined;
}

/** Opens a socket within `patience` milliseconds; `signal` destroys it, while opening or later. */
export async function openSocket(
  to: Endpoint,
  patience: number,
  signal: AbortSignal,
): Promise<Socket> {
  let failure: unknown;
  for (const [i, host] of to.host.entries()) {
    try {
      return await dial(to.path || undefined, host, to.port[i] ?? 5432, patience, signal);
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
      // The driver reads `host` to name the server it expects when it upgrades to TLS.
      resolve(Object.assign(socket, { host }));
    });
    if (signal.aborted) return fail("CONNECTION_CLOSED", "the connection was given up");
    signal.addEventListener("abort", destroy, { once: true });
    if (path) socket.connect(path);
    else socket.connect(port, host);
  });
}
