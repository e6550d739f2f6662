import { userInfo } from "node:os";
import process from "node:process";
import { checkNames, type Environment, fromEnvironment, oneOf, wholeNumber } from "./parameters.ts";
import { refuse } from "./refuse.ts";
import { readSsl, type Ssl, type SslMode } from "./ssl.ts";
import { type Parameters, readUrl } from "./url.ts";

export type { Ssl, SslMode } from "./ssl.ts";

/**
 * The address of the database. An option overrides the URL, and the URL overrides the environment.
 */
export interface AddressOptions {
  /**
   * `postgres://user:password@host:port/database`, parsed like libpq, with several hosts,
   * `?sslmode=` and so on. One of `url`, `host` and the variable PGHOST is required.
   */
  readonly url?: string | undefined;
  /** Host, or the folder of a Unix socket. */
  readonly host?: string | undefined;
  /** Port. Default: 5432. */
  readonly port?: number | undefined;
  /** Name of the database role. */
  readonly user?: string | undefined;
  /** The password, or a function that returns it for each new connection. */
  readonly password?: string | (() => string | Promise<string>) | undefined;
  /** Name of the database. */
  readonly database?: string | undefined;
  /**
   * True for TLS with a verified certificate, false for no TLS, a libpq sslmode, or options of
   * `tls.connect`.
   */
  readonly ssl?: boolean | SslMode | object | undefined;
}

/** One of the hosts that may be the writable server. */
export interface ServerHost {
  /** Its host name, IP address, or socket folder. Its certificate is checked against this name. */
  readonly name: string;
  readonly port: number;
  /** The IP address to connect to, if different from the name. */
  readonly ip?: string | undefined;
}

/** Whether the host is a local Unix socket in a folder. */
export function isFolder({ name }: ServerHost): boolean {
  return name.startsWith("/");
}

/** The address and the credentials. It holds the password and must never be logged or shown. */
export interface Address {
  readonly hosts: readonly ServerHost[];
  readonly user: string;
  readonly password: string | (() => string | Promise<string>) | undefined;
  readonly database: string;
  readonly ssl: Ssl;
  readonly applicationName: string | undefined;
  /** Command-line options for the server, such as `-c search_path=app`. */
  readonly options: string | undefined;
  /** Connection timeout in milliseconds, per host. */
  readonly patience: number;
  /** Milliseconds of silence before the socket sends a keep-alive probe. 0 disables probes. */
  readonly keepAlive: number;
  /** Whether PgBouncer in transaction mode is in between. */
  readonly pooled: boolean;
}

const defaultPatience = 10_000;
const defaultKeepAlive = 60_000;

/** Parses and checks the address. Throws a sentence without secrets when it is invalid. */
export function addressOf(
  options: AddressOptions,
  environment: Environment = process.env,
): Address {
  const inUrl = fromUrl(options.url);
  checkNames(inUrl);
  const all = new Map([...fromEnvironment(environment), ...inUrl, ...fromOptions(options)]);
  // An empty value counts as missing.
  for (const name of ["host", "hostaddr", "port", "user", "dbname"]) {
    if (all.get(name) === "") all.delete(name);
  }
  if (inUrl.size === 0 && !options.url && !all.has("host") && !all.has("hostaddr")) refuse(missing);
  const user = all.get("user") ?? osUser();
  // The engine writes, so it cannot use any other kind of server.
  oneOf(all, "target_session_attrs", ["any", "read-write", "primary"]);
  const hosts = hostsOf(all);
  if (all.get("channel_binding") === "require" && hosts.some(isFolder)) {
    refuse("channel_binding=require needs TLS, but a Unix socket has none");
  }
  return {
    hosts,
    user,
    password: options.password ?? all.get("password"),
    database: all.get("dbname") ?? user,
    ssl: readSsl(all, options.ssl),
    applicationName: all.get("application_name") ?? all.get("fallback_application_name"),
    options: all.get("options"),
    patience: patienceOf(wholeNumber(all, "connect_timeout")),
    keepAlive: oneOf(all, "keepalives", ["0", "1"]) === "0"
      ? 0
      : (wholeNumber(all, "keepalives_idle") || defaultKeepAlive / 1000) * 1000,
    pooled: oneOf(all, "pgbouncer", ["true", "false"]) === "true",
  };
}

const missing =
  'no address was given. Set the option "url" (--url on the command line), usually to the variable DATABASE_URL, ' +
  'or the option "host" or the variable PGHOST. Tests do not need a database: see the option "backend"';

function fromUrl(url: unknown): Parameters {
  if (url === undefined || url === null || url === "") return new Map();
  return typeof url === "string" ? readUrl(url) : refuse("the option url is not a string");
}

function fromOptions({ host, port, user, database }: AddressOptions): Parameters {
  const given: Parameters = new Map();
  const text = (name: string, option: string, value: unknown) => {
    if (value === undefined || value === null) return;
    if (typeof value !== "string") refuse(`the option ${option} is not a string`);
    if (value !== "") given.set(name, value);
  };
  text("host", "host", host);
  text("user", "user", user);
  text("dbname", "database", database);
  if (port !== undefined && port !== null) given.set("port", String(port));
  return given;
}

function hostsOf(parameters: Parameters): readonly ServerHost[] {
  const addresses = parameters.get("hostaddr")?.split(",");
  const names = parameters.get("host")?.split(",") ?? addresses ?? [""];
  const ports = parameters.get("port")?.split(",") ?? [""];
  if (addresses !== undefined && addresses.length !== names.length) {
    refuse(`hostaddr has ${addresses.length} addresses for ${names.length} hosts`);
  }
  if (ports.length !== 1 && ports.length !== names.length) {
    refuse(`there are ${ports.length} ports for ${names.length} hosts`);
  }
  return names.map((text, i) => {
    const { name, port } = withPort(text);
    return {
      name: checkedHost(name),
      port: portOf(ports.length === 1 ? ports[0] || port : ports[i] || port),
      ip: addresses?.[i] || undefined,
    };
  });
}

/**
 * The option `host` and PGHOST may include a port, as in the driver. IPv6 addresses may omit the
 * brackets.
 */
function withPort(text: string): { readonly name: string; readonly port: string } {
  const found = /^(?:\[([^[\]]+)\]|([^:/]+))(?::(\d+))?$/.exec(text);
  return { name: found?.[1] ?? found?.[2] ?? text, port: found?.[3] ?? "" };
}

function checkedHost(name: string): string {
  if (/[\s"'<>]/.test(name)) refuse("a host contains invalid characters");
  return name === "" ? "localhost" : name;
}

function portOf(text: string): number {
  const port = text === "" ? 5432 : Number(text);
  if (/^\d*$/.test(text) && port >= 1 && port <= 65_535) return port;
  return refuse(
    "a port is not a number from 1 to 65,535 (write : @ / ? in names and passwords as %3A %40 %2F %3F)",
  );
}

/** In libpq 0 means no timeout. Here every wait has one. */
function patienceOf(seconds: number | undefined): number {
  return seconds !== undefined && seconds > 0 ? Math.min(seconds, 600) * 1000 : defaultPatience;
}

function osUser(): string {
  try {
    return userInfo().username;
  } catch {
    // Deno needs a permission to read these.
    const { USERNAME, USER, LOGNAME } = process.env;
    return USERNAME || USER || LOGNAME ||
      refuse("no user was given, and the name of the system user is not available");
  }
}
