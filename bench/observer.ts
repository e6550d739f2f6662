import postgres, { type Sql } from "postgres";

export type Cells = Readonly<Record<string, string | null>>;

const shown = [
  "server_version",
  "fsync",
  "synchronous_commit",
  "shared_buffers",
  "max_wal_size",
  "shared_preload_libraries",
];

// Marks the observer's statements, so that they are not counted as the engine's.
const mark = "/* bench */";

/**
 * One connection that observes the server, but nothing of the engine. It subtracts its own cost.
 */
export class Observer {
  readonly #sql: Sql;
  #queries = 0;
  #statements = false;

  constructor(url: string) {
    this.#sql = postgres(url, {
      max: 1,
      fetch_types: false,
      idle_timeout: 0,
      max_lifetime: 0,
      connection: { application_name: "hephaestus-bench" },
      onnotice: () => {},
    } as postgres.Options<Record<string, never>>);
  }

  /** Checks whether the server counts statements. */
  async begin(): Promise<void> {
    const found = await this.query("select calls from pg_stat_statements limit 1").catch(() =>
      undefined
    );
    this.#statements = found !== undefined;
  }

  get countsStatements(): boolean {
    return this.#statements;
  }

  /** Runs one statement, which is one transaction. */
  async query(text: string, parameters: readonly string[] = []): Promise<readonly Cells[]> {
    this.#queries++;
    return await this.#sql.unsafe(`${mark} ${text}`, [
      ...parameters,
    ]) as unknown as readonly Cells[];
  }

  async describe(): Promise<string> {
    const rows = await this.query(
      "select name, current_setting(name) as value from pg_settings where name = any ($1::text[]) order by name",
      [`{${shown.join(",")}}`],
    );
    return rows.map(({ name, value }) => `${name} ${value}`).join(", ");
  }

  /** Bytes of write-ahead log so far. */
  async wal(): Promise<number> {
    const [row] = await this.query("select pg_current_wal_lsn() - '0/0'::pg_lsn as bytes");
    return Number(row?.bytes);
  }

  /** Statements so far, without its own; `undefined` if the server does not count them. */
  async statements(): Promise<number | undefined> {
    if (!this.#statements) return undefined;
    const [row] = await this.query(
      `select coalesce(sum(calls), 0)::text as calls
      from pg_stat_statements
      where dbid = (select oid from pg_database where datname = current_database())
        and query not like $1`,
      [`${mark}%`],
    );
    return Number(row?.calls);
  }

  /** Transactions committed so far by sessions that have ended, without its own. */
  async transactions(): Promise<number> {
    await this.query("select pg_stat_force_next_flush()");
    const own = this.#queries;
    const [row] = await this.query(
      "select xact_commit::text as commits from pg_stat_database where datname = current_database()",
    );
    return Number(row?.commits) - own;
  }

  /**
   * Waits until this application has no sessions left: a session reports its counts when it ends.
   */
  async sessionsGone(application: string): Promise<void> {
    for (let tries = 500; tries > 0; tries--) {
      const found = await this.query(
        "select from pg_stat_activity where application_name = $1 limit 1",
        [application],
      );
      if (found.length === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`Cannot count transactions: sessions of "${application}" do not end`);
  }

  close(): Promise<void> {
    return this.#sql.end({ timeout: 5 });
  }
}
