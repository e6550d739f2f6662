import { readFileSync } from "node:fs";
import { isIP, type Socket } from "node:net";
import { connect, type ConnectionOptions, createSecureContext, type TLSSocket } from "node:tls";
import type { ServerHost, Ssl } from "../address/address.ts";
import { DatabaseError, databaseError, isConnectionLost } from "../errors.ts";

// The length of the message, and the request code, which is not a protocol version.
const request = Uint8Array.of(0, 0, 0, 8, 4, 210, 22, 47);

/** Asks the server for TLS before sending anything else. Resolves to false if it has none. */
export function offersTls(socket: Socket): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const closed = () =>
      reject(new DatabaseError("CONNECTION_CLOSED", "the server closed the connection"));
    socket.once("close", closed);
    socket.once("data", (answer: Uint8Array) => {
      socket.off("close", closed);
      // Additional bytes were injected by a man in the middle and must not be treated as the
      // server's.
      if (answer.length > 1) reject(failed("the server sent unexpected data"));
      else resolve(answer[0] === 83);
    });
    socket.write(request);
  });
}

/** Encrypts a connection. Resolves once the certificate is what the mode asks for. */
export async function encrypt(socket: Socket, host: ServerHost, ssl: Ssl): Promise<TLSSocket> {
  try {
    return await handshake(connect({ ...tlsOptions(host, ssl), socket }));
  } catch (error) {
    throw tlsError(error as Error, host);
  }
}

function handshake(encrypted: TLSSocket): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    // Stays for the socket's whole life: an error without a listener ends the process.
    encrypted.on("error", reject);
    encrypted.once("close", () => reject(new Error("the server closed the connection")));
    encrypted.once("secureConnect", () => resolve(encrypted));
  });
}

/** Reports problems with certificates and keys before anything connects. */
export function checkTls(hosts: readonly ServerHost[], ssl: Ssl): void {
  try {
    if (ssl.mode !== "disable") createSecureContext(tlsOptions(hosts[0]!, ssl));
  } catch (error) {
    throw new TypeError(
      `Cannot connect to the database: its certificates cannot be used: ${
        (error as Error).message
      }`,
      { cause: error },
    );
  }
}

function tlsOptions({ name }: ServerHost, ssl: Ssl): ConnectionOptions {
  const { ca, cert, key } = ssl.files;
  const files = Object.entries({ ca, cert, key }).flatMap(([option, path]) =>
    path === undefined ? [] : [[option, readFileSync(path, "utf8")]]
  );
  return {
    // The name that the certificate is checked against. An IP address may not be sent as the server
    // name.
    host: name,
    ...(isIP(name) ? {} : { servername: name }),
    // As in libpq, a configured certificate authority is checked in every mode.
    rejectUnauthorized: ssl.mode.startsWith("verify-") || ca !== undefined,
    ...(ssl.mode === "verify-full" ? {} : { checkServerIdentity: () => undefined }),
    ...(ssl.direct ? { ALPNProtocols: ["postgresql"] } : {}),
    ...Object.fromEntries(files),
    ...ssl.options,
  };
}

function failed(reason: string, cause?: unknown): DatabaseError {
  return Object.assign(new DatabaseError("TLS_FAILED", `TLS failed: ${reason}`), { cause });
}

// Messages of Node and Deno, in this order: the same certificate may be wrong in several ways.
const reasons: readonly (readonly [RegExp, (host: string, error: Error) => string])[] = [
  [
    /ALTNAME|NotValidForName|HOSTNAME|IP_ADDRESS_MISMATCH/i,
    (host, error) =>
      `its certificate is not for "${host}"${
        namesIn(error)
      }. Connect by a name in the certificate, ` +
      "or verify only its authority with sslmode=verify-ca",
  ],
  [
    /HAS_EXPIRED|certificate:? ?expired|CertExpired/i,
    () => "its certificate has expired. Renew it on the server, and check the clocks",
  ],
  [
    /NOT_YET_VALID|NotValidYet/i,
    () => "its certificate is not valid yet. Check the clocks of the server and of this machine",
  ],
  [
    /UNABLE_TO_|SELF_SIGNED|ISSUER|UnknownIssuer|CERT_UNTRUSTED|CaUsedAsEndEntity/i,
    () =>
      "its certificate is signed by an unknown authority. " +
      "Pass the certificate of that authority with sslrootcert in the URL, or as ssl: { ca }",
  ],
];

function tlsError(error: Error & { readonly code?: string }, { name }: ServerHost): DatabaseError {
  // A network problem may pass: it says nothing about the certificate.
  if (isConnectionLost(error)) return databaseError(error) as DatabaseError;
  const text = `${error.code ?? ""} ${error.message}`;
  const known = reasons.find(([pattern]) => pattern.test(text));
  return known
    ? Object.assign(new DatabaseError("TLS_UNVERIFIED", known[1](name, error)), { cause: error })
    : failed(error.message.split("\n")[0]!, error);
}

function namesIn(error: Error): string {
  const { cert } = error as { readonly cert?: { readonly subjectaltname?: string } };
  return cert?.subjectaltname ? `, it is for ${cert.subjectaltname}` : "";
}
