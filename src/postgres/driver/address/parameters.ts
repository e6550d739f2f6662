import { refuse } from "./refuse.ts";
import type { Parameters } from "./url.ts";

/** Supported parameters, each with its environment variable if it has one. */
const understood: Readonly<Record<string, string | undefined>> = {
  host: "PGHOST",
  hostaddr: "PGHOSTADDR",
  port: "PGPORT",
  user: "PGUSER",
  password: "PGPASSWORD",
  dbname: "PGDATABASE",
  sslmode: "PGSSLMODE",
  ssl: undefined,
  sslrootcert: "PGSSLROOTCERT",
  sslcert: "PGSSLCERT",
  sslkey: "PGSSLKEY",
  sslpassword: undefined,
  sslnegotiation: "PGSSLNEGOTIATION",
  ssl_min_protocol_version: "PGSSLMINPROTOCOLVERSION",
  ssl_max_protocol_version: "PGSSLMAXPROTOCOLVERSION",
  channel_binding: "PGCHANNELBINDING",
  application_name: "PGAPPNAME",
  fallback_application_name: undefined,
  options: "PGOPTIONS",
  connect_timeout: "PGCONNECT_TIMEOUT",
  target_session_attrs: "PGTARGETSESSIONATTRS",
  keepalives: undefined,
  keepalives_idle: undefined,
  pgbouncer: undefined,
};

/** Parameters without effect here, with the reason. */
const ignored: Readonly<Record<string, string>> = {
  client_encoding: "the engine speaks UTF-8",
  keepalives_interval: "the runtime cannot set it",
  keepalives_count: "the runtime cannot set it",
  tcp_user_timeout: "the runtime cannot set it",
  load_balance_hosts: "only one of the hosts can be written to",
  sslcompression: "TLS no longer compresses",
  sslsni: "the name of the host is always sent",
  min_protocol_version: "the driver speaks version 3.0, which every server knows",
  max_protocol_version: "the driver speaks version 3.0, which every server knows",
  krbsrvname: "for Kerberos only",
  gsslib: "for Kerberos only",
  gssdelegation: "for Kerberos only",
  schema: "Prisma's: the engine's tables are in the schema that the option schema names",
  connection_limit: "Prisma's: see the option poolSize",
  pool_timeout: "Prisma's: see the option poolSize",
  pool: "Prisma's: the host name decides",
  socket_timeout: "Prisma's: see the option statementTimeout",
  statement_cache_size: "Prisma's: see the option prepare",
  single_use_connections: "Prisma's",
  supa: "Supabase's mark for Vercel",
  uselibpqcompat: "node-postgres's: here sslmode means the same as in libpq",
};

/**
 * Rejects parameters that are neither supported nor ignored on purpose. Names only the parameter.
 */
export function checkNames(parameters: Parameters): void {
  for (const name of parameters.keys()) {
    if (Object.hasOwn(understood, name) || Object.hasOwn(ignored, name)) continue;
    // Kerberos is not supported, so a parameter that requires it cannot be ignored.
    if (name === "gssencmode" && parameters.get(name) !== "require") continue;
    refuse(
      `the parameter "${name}" in its URL is unknown. Remove it ` +
        "(write session settings as options=-c%20name%3Dvalue)",
    );
  }
}

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The parameters from the environment that are not given otherwise. */
export function fromEnvironment(
  environment: Environment,
): Parameters {
  const found: Parameters = new Map();
  for (const [name, variable] of Object.entries(understood)) {
    const value = variable && environment[variable];
    if (value) found.set(name, value);
  }
  // The driver's own name for this variable.
  if (environment.PGUSERNAME) found.set("user", environment.PGUSERNAME);
  return found;
}

/** Checks that a parameter has one of these values. */
export function oneOf<T extends string>(
  parameters: Parameters,
  name: string,
  values: readonly T[],
): T | undefined {
  const value = parameters.get(name);
  if (value === undefined) return undefined;
  return values.find((each) => each === value) ??
    refuse(`${name} cannot be "${value}". Use one of ${values.join(", ")}`);
}

/** Parses a non-negative integer. */
export function wholeNumber(parameters: Parameters, name: string): number | undefined {
  const value = parameters.get(name);
  if (value === undefined) return undefined;
  if (/^-?\d{1,9}$/.test(value)) return Number(value);
  return refuse(`${name} is not a whole number`);
}
