import { Socket } from "node:net";
import { type Address, isFolder, type ServerHost, type Ssl } from "../address/address.ts";
import { DatabaseError } from "../errors.ts";
import { encrypt, offersTls } from "./tls.ts";

/** With TLS, without TLS, or with TLS if the server supports it. */
export type Encryption = "tls" | "plain" | "either";

/**
 * The encryption modes to try in order: for some accounts the server may accept only encrypted
 * connections, or only plain ones.
 */
export function waysTo({ ssl: { mode } }: Address): readonly Encryption[] {
  if (mode === "disable") return ["plain"];
  if (mode === "allow") return ["plain", "tls"];
  return mode === "prefer" ? ["either", "plain"] : ["tls"];
}

// The host to try first: several hosts may accept connections, including standbys.
const first = new Map<string, number>();
const nameOf = ({ hosts }: Address) => hosts.map(shown).join();

/**
 * The host of the last socket accepts no writes: the next connection starts with the host after it.
 */
export function avoid(address: Address, { host }: Reached): void {
  const { hosts } = address;
  const at = hosts.findIndex((each) => shown(each) === shown(host));
  if (hosts.length > 1) first.set(nameOf(address), (at + 1) % hosts.length);
}

/** The host that responded. */
export interface Reached {
  readonly host: ServerHost;
  readonly socket: Socket;
}

/**
 * Opens a socket to the first host that accepts one. `signal` destroys it, while opening or later.
 */
export async function openSocket(
  address: Address,
  way: Encryption,
  signal: AbortSignal,
): Promise<Reached> {
  const { hosts } = address;
  let failure: unknown;
  const begin = first.get(nameOf(address)) ?? 0;
  for (let i = 0; i < hosts.length; i++) {
    const host = hosts[(begin + i) % hosts.length]!;
    try {
      return { host, socket: await dialAs(host, address, way, signal) };
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

async function dialAs(
  host: ServerHost,
  address: Address,
  way: Encryption,
  signal: AbortSignal,
): Promise<Socket> {
  try {
    return await dial(host, address, way, signal);
  } catch (error) {
    const isTls = error instanceof DatabaseError && error.code.startsWith("TLS_");
    if (way !== "either" || !isTls) throw error;
    return await dial(host, address, "plain", signal);
  }
}

function dial(
  host: ServerHost,
  { ssl, patience, keepAlive }: Address,
  way: Encryption,
  signal: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const address = shown(host);
    const socket = new Socket();
    let open = socket;
    const destroy = () => {
      open.destroy();
      socket.destroy();
    };
    const fail = (error: DatabaseError) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", destroy);
      destroy();
      reject(Object.assign(error, { address }));
    };
    const lost = (code: string, message: string) => fail(new DatabaseError(code, message));
    const timer = setTimeout(lost, patience, "CONNECT_TIMEOUT", `no connection to ${address}`);
    // Stays for the socket's whole life: an error without a listener ends the process.
    socket.on(
      "error",
      (error: NodeJS.ErrnoException) =>
        lost(error.code ?? "CONNECTION_CLOSED", error.message || `no connection to ${address}`),
    );
    socket.once(
      "close",
      () => lost("CONNECTION_CLOSED", `the connection to ${address} was closed`),
    );
    socket.once("connect", () => {
      socket.setNoDelay(true);
      if (keepAlive > 0) socket.setKeepAlive(true, keepAlive);
      secured(socket, host, ssl, way).then((ready) => {
        clearTimeout(timer);
        open = ready;
        resolve(ready);
      }, fail);
    });
    if (signal.aborted) return lost("CONNECTION_CLOSED", "the connection was abandoned");
    signal.addEventListener("abort", destroy, { once: true });
    if (isFolder(host)) socket.connect(`${host.name}/.s.PGSQL.${host.port}`);
    else socket.connect(host.port, host.ip ?? host.name);
  });
}

/** A Unix socket is local: as in libpq it has no TLS, whatever the mode. */
async function secured(
  socket: Socket,
  host: ServerHost,
  ssl: Ssl,
  way: Encryption,
): Promise<Socket> {
  if (way === "plain" || isFolder(host)) return socket;
  if (ssl.direct || await offersTls(socket)) return await encrypt(socket, host, ssl);
  if (way === "either") return socket;
  throw new DatabaseError(
    "TLS_MISSING",
    `it has no TLS, but ${ssl.demanded ?? "TLS"} needs it. Enable TLS on the server (ssl = on), ` +
      "or connect with sslmode=disable if you trust the network",
  );
}

/** The name of the host for error sentences. */
function shown(host: ServerHost): string {
  const { name, port } = host;
  if (isFolder(host)) return `${name}/.s.PGSQL.${port}`;
  return name.includes(":") ? `[${name}]:${port}` : `${name}:${port}`;
}
