import type { Address } from "../address/address.ts";
import { type Encryption, openSocket, type Reached } from "./sockets.ts";

/** Identifies a session to the server, or to a pooler in between. */
export interface SessionKey {
  readonly pid: number;
  readonly secret: number;
}

const cancelRequest = 80_877_102;
const patience = 2_000;

/**
 * Asks the server to cancel the running statement of a session. As the protocol requires, this uses
 * a separate socket, secured like the session's. Resolves when the server has received the request.
 * Rejects when it cannot be reached.
 */
export async function requestCancel(
  address: Address,
  way: Encryption,
  { host }: Reached,
  { pid, secret }: SessionKey,
): Promise<void> {
  const ended = new AbortController();
  const timer = setTimeout(() => ended.abort(), patience);
  try {
    const { socket } = await openSocket({ ...address, hosts: [host] }, way, ended.signal);
    const message = new DataView(new ArrayBuffer(16));
    [16, cancelRequest, pid, secret].forEach((word, i) => message.setInt32(4 * i, word));
    await new Promise<void>((resolve) => {
      socket.once("close", () => resolve()).resume();
      socket.write(new Uint8Array(message.buffer));
    });
  } finally {
    clearTimeout(timer);
    ended.abort();
  }
}
