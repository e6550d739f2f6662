import { oneOf } from "./parameters.ts";
import { refuse } from "./refuse.ts";
import type { Parameters } from "./url.ts";

/** How a connection is encrypted and its server verified, in libpq's terms. */
export type SslMode = "disable" | "allow" | "prefer" | "require" | "verify-ca" | "verify-full";

const modes: readonly SslMode[] = [
  "disable",
  "allow",
  "prefer",
  "require",
  "verify-ca",
  "verify-full",
];
const versions = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"] as const;

/** TLS settings of a connection. */
export interface Ssl {
  readonly mode: SslMode;
  /** Files, read again for each connection because certificates are renewed. */
  readonly files: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** Options of `tls.connect`. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Start TLS immediately, without asking the server for it. */
  readonly direct: boolean;
  /** The parameter that forbids a connection without TLS, if there is one. */
  readonly demanded: string | undefined;
}

/** Reads the TLS settings from the parameters, or from the option `ssl`. */
export function readSsl(parameters: Parameters, option: unknown): Ssl {
  const binding = oneOf(parameters, "channel_binding", ["disable", "prefer", "require"]);
  const negotiation = oneOf(parameters, "sslnegotiation", ["postgres", "direct"]);
  const system = parameters.get("sslrootcert") === "system";
  let mode = fromOption(option) ?? fromParameters(parameters) ??
    (system ? "verify-full" : "prefer");
  const weak = !/^(require|verify-)/.test(mode);
  if (system && option === undefined && mode !== "verify-full") {
    refuse(`sslrootcert=system needs sslmode=verify-full, got sslmode=${mode}`);
  }
  if (negotiation === "direct" && weak) {
    refuse(`sslnegotiation=direct needs sslmode=require or stricter, got sslmode=${mode}`);
  }
  if (binding === "require") {
    if (mode === "disable") refuse("channel_binding=require needs TLS, got sslmode=disable");
    // The driver does not support channel binding, which would detect a man in the middle.
    // Verifying the certificate does the same.
    if (mode !== "verify-ca") mode = "verify-full";
  }
  return {
    mode,
    files: filesOf(parameters),
    options: optionsOf(parameters, option),
    direct: negotiation === "direct",
    demanded: binding === "require"
      ? "channel_binding=require"
      : mode === "require" || mode.startsWith("verify-")
      ? `sslmode=${mode}`
      : undefined,
  };
}

function fromOption(option: unknown): SslMode | undefined {
  if (option === undefined || option === null) return undefined;
  if (typeof option === "boolean") return option ? "verify-full" : "disable";
  if (typeof option === "object") return "verify-full";
  return modes.find((mode) => mode === option) ??
    refuse(`the option ssl must be true, false, an sslmode, or options of tls.connect`);
}

function fromParameters(parameters: Parameters): SslMode | undefined {
  // Values of other drivers: "no-verify" is from node-postgres, "true" from JDBC.
  const mode = oneOf(parameters, "sslmode", [...modes, "no-verify"] as const);
  if (mode !== undefined) return mode === "no-verify" ? "require" : mode;
  const ssl = oneOf(parameters, "ssl", [...modes, "no-verify", "true", "1", "false", "0"] as const);
  if (ssl === "true" || ssl === "1" || ssl === "no-verify") return "require";
  return ssl === "false" || ssl === "0" ? "disable" : ssl;
}

function filesOf(parameters: Parameters): Ssl["files"] {
  const [ca, cert, key] = ["sslrootcert", "sslcert", "sslkey"].map((name) => parameters.get(name));
  if ((cert === undefined) !== (key === undefined)) {
    refuse("sslcert and sslkey must be set together");
  }
  return {
    ...(ca !== undefined && ca !== "system" ? { ca } : {}),
    ...(cert !== undefined && key !== undefined ? { cert, key } : {}),
  };
}

function optionsOf(parameters: Parameters, option: unknown): Ssl["options"] {
  const minVersion = oneOf(parameters, "ssl_min_protocol_version", versions);
  const maxVersion = oneOf(parameters, "ssl_max_protocol_version", versions);
  const passphrase = parameters.get("sslpassword");
  return {
    ...(minVersion ? { minVersion } : {}),
    ...(maxVersion ? { maxVersion } : {}),
    ...(passphrase ? { passphrase } : {}),
    ...(typeof option === "object" ? option : {}),
  };
}
