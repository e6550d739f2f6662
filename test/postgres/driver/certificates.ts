import { spawnSync } from "node:child_process";
import { chown, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connect } from "../../../src/postgres/driver/connect.ts";
import { ownServer } from "../../pg.ts";

export const openssl = spawnSync("openssl", ["version"]).status === 0;

/** A server that changes its certificate, and who may come in how, as a test says. */
export interface Certified extends AsyncDisposable {
  readonly url: string;
  /** A file in the server's folder. */
  file(name: string): string;
  /** The text of a certificate. */
  pem(name: string): Promise<string>;
  /** Shows this certificate from now on, or none. */
  show(certificate: string | undefined): Promise<void>;
  /** The lines of pg_hba.conf from now on. */
  admit(...lines: readonly string[]): Promise<void>;
}

function run(words: string, directory: string): void {
  const { status, stderr } = spawnSync("openssl", words.split(/\s+/), { cwd: directory });
  if (status !== 0) throw new Error(`openssl ${words}: ${stderr}`);
}

const key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";

/** Makes a certificate that one of the two authorities has signed. */
function sign(directory: string, name: string, by: string, names: string, days = 2): void {
  run(`req ${key} -subj /CN=${name} -keyout ${name}.key -out ${name}.csr`, directory);
  spawnSync("sh", ["-c", `echo "subjectAltName=${names}" > ${name}.ext`], { cwd: directory });
  const signing = `-CA ${by}.crt -CAkey ${by}.key -CAcreateserial -extfile ${name}.ext`;
  run(`x509 -req -in ${name}.csr -days ${days} ${signing} -out ${name}.crt`, directory);
}

/** A server with certificates `name`, `ip` and `expired` of the authority `ca`, and `strange` of another one. */
export async function certified(): Promise<Certified> {
  const server = await ownServer();
  const { directory } = server;
  for (const by of ["ca", "other"]) {
    run(`req -x509 ${key} -days 2 -subj /CN=${by} -keyout ${by}.key -out ${by}.crt`, directory);
  }
  sign(directory, "name", "ca", "DNS:localhost,DNS:db.example");
  sign(directory, "ip", "ca", "IP:127.0.0.1");
  sign(directory, "expired", "ca", "DNS:localhost,IP:127.0.0.1", -1);
  sign(directory, "strange", "other", "DNS:localhost,IP:127.0.0.1");
  sign(directory, "postgres", "ca", "DNS:client");
  const { uid, gid } = await stat(directory);
  for (const name of ["name", "ip", "expired", "strange"]) {
    for (const end of ["key", "crt"]) await chown(join(directory, `${name}.${end}`), uid, gid);
  }
  const db = connect({ url: `${server.url}?sslmode=prefer`, max: 1 });
  let generation = 0;
  // Each new session has what the server has read last: a session that has the mark has all of it.
  const set = async (settings: Readonly<Record<string, string>>) => {
    const mark = `generation ${++generation}`;
    for (const [name, value] of Object.entries({ ...settings, "cluster.mark": mark })) {
      await db.query(`alter system set ${name} = '${value}'`);
    }
    await db.query("select pg_reload_conf()");
    for (let known = false; !known;) {
      const one = connect({ url: `${server.url}?sslmode=prefer`, max: 1 });
      const [row] = await one.query("select current_setting('cluster.mark', true) as mark")
        .catch(() => []);
      await one.close();
      known = row?.mark === mark;
    }
  };
  return {
    url: server.url,
    file: (name) => join(directory, name),
    pem: (name) => readFile(join(directory, `${name}.crt`), "utf8"),
    show: (name) =>
      set(
        name === undefined ? { ssl: "off" } : {
          ssl: "on",
          ssl_cert_file: `${name}.crt`,
          ssl_key_file: `${name}.key`,
          ssl_ca_file: "ca.crt",
        },
      ),
    admit: async (...lines) => {
      await writeFile(join(directory, "pg_hba.conf"), `${lines.join("\n")}\n`);
      await set({});
    },
    [Symbol.asyncDispose]: async () => {
      await db.close();
      await server[Symbol.asyncDispose]();
    },
  };
}
