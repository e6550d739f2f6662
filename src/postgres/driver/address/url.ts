import { refuse } from "./refuse.ts";

/**
 * Parameters under libpq's names, such as `host`, `dbname` and `sslmode`. Several hosts are
 * separated by commas.
 */
export type Parameters = Map<string, string>;

const scheme = /^postgres(?:ql)?:\/\//i;
const parts = /^([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s;
const hostAndPort = /^(?:\[([^[\]]+)\]|([^:[\]]*))(?::([^:]*))?$/s;

/**
 * Parses a URL like libpq:
 * `postgresql://[user[:password]@][host:port][,...]][/dbname][?name=value[&...]]`. Each part may be
 * missing, and each may be percent-encoded.
 */
export function readUrl(url: string): Parameters {
  const text = url.trim();
  if (!scheme.test(text)) {
    refuse("its URL must look like postgres://user:password@host:port/database");
  }
  const [, authority = "", database = "", query = ""] = parts.exec(text.replace(scheme, "")) ?? [];
  const at = authority.lastIndexOf("@");
  // This may be the end of a password whose beginning would be parsed as a name, and error
  // sentences show names.
  if (`${database}${query}`.includes("@")) {
    refuse(
      'its URL has an "@" in the wrong place. Write @ / ? in names and passwords as %40 %2F %3F',
    );
  }
  const [user = "", password = ""] = inTwo(authority.slice(0, Math.max(at, 0)), ":");
  const hosts = authority.slice(at + 1).split(",").map(readHost);
  const read: Parameters = new Map();
  const add = (name: string, value: string) => value !== "" && read.set(name, value);
  add("user", decode(user));
  add("password", decode(password));
  if (hosts.some(({ host }) => host !== "")) add("host", hosts.map(({ host }) => host).join());
  if (hosts.some(({ port }) => port !== "")) add("port", hosts.map(({ port }) => port).join());
  add("dbname", decode(database));
  for (const pair of query.split("&")) {
    if (pair === "") continue;
    if (!pair.includes("=")) refuse("a parameter in its URL has no value. Write name=value");
    const [name = "", value = ""] = inTwo(pair, "=").map(decode);
    read.set(name, value);
  }
  return read;
}

function readHost(text: string): { readonly host: string; readonly port: string } {
  const [found, address, name = "", port = ""] = hostAndPort.exec(text) ?? [];
  if (found === undefined) {
    refuse("a host in its URL is invalid. An IPv6 address needs brackets: [::1]:5432");
  }
  return { host: decode(address ?? name), port: decode(port) };
}

function inTwo(text: string, separator: string): readonly string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function decode(text: string): string {
  let decoded: string;
  try {
    decoded = decodeURIComponent(text);
  } catch {
    refuse("its URL has a % that does not start a percent-encoded character. Write % as %25");
  }
  if (decoded.includes("\0")) refuse("its URL contains a NUL character");
  return decoded;
}
