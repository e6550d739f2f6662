import type { Queryable } from "../driver/contract.ts";
import { sqlState } from "../driver/errors.ts";
import type { Tables } from "../sql/tables.ts";
import { type AnyTransaction, type Caller, callerOf } from "./caller_libraries.ts";

/** The database's description of where a statement of the caller runs. */
interface ProbeRow {
  readonly mark: string;
  readonly read_only: string;
  readonly server: string;
  readonly place: string | null;
  readonly database: string;
}

/**
 * Accepts transactions of callers, and asks the database whether they really are transactions. An
 * object's shape does not distinguish a transaction from a pool, or from a transaction that has
 * ended.
 *
 * The query sets a mark that ends with its transaction, or finds an existing mark. So the same mark
 * twice means one transaction, and a mark that was seen before means that the transaction is still
 * the same.
 */
export class CallerTransactions {
  readonly #db: Queryable;
  readonly #ask: string;
  readonly #schema: string;
  readonly #marks = new WeakMap<object, string>();
  #home: Promise<string> | undefined;

  /** `db` is the engine's own: the transactions must be on the same database. */
  constructor(db: Queryable, t: Tables) {
    this.#db = db;
    this.#ask = question(t);
    this.#schema = t.name;
  }

  /**
   * @throws {TypeError} When it is not an open transaction that may write to the engine's tables.
   * Nothing is written then.
   */
  async use(tx: AnyTransaction): Promise<Queryable> {
    const caller = callerOf(tx);
    const first = await this.#asked(caller);
    if (this.#marks.get(tx) !== first.mark) {
      const second = await this.#asked(caller);
      if (second.mark !== first.mark) throw refused(`it is not a transaction. ${caller.advice}`);
      await this.#checkPlace(first);
      this.#marks.set(tx, first.mark);
    }
    if (first.read_only !== "off") throw refused("it is read-only");
    return caller;
  }

  async #asked(caller: Caller): Promise<ProbeRow> {
    try {
      const [answer] = await caller.query<ProbeRow>(this.#ask, [crypto.randomUUID()]);
      if (answer?.mark) return answer;
    } catch (error) {
      if (!hasFailed(error)) throw error;
      throw refused("a statement in it has failed. Roll it back", { cause: error });
    }
    throw refused("it does not return rows");
  }

  async #checkPlace({ server, place, database }: ProbeRow): Promise<void> {
    if (place === null) {
      throw refused(
        `it is in database "${database}", which has no Hephaestus tables in schema "${this.#schema}"`,
      );
    }
    const there = `${server}/${place}`;
    if (there === await (this.#home ??= this.#findHome())) return;
    // After a failover or a restart, the engine's own server is a different one.
    if (there === await (this.#home = this.#findHome())) return;
    throw refused(
      `it is in database "${database}", which is not the engine's database, although it has the same tables`,
    );
  }

  async #findHome(): Promise<string> {
    try {
      const [{ server, place }] = await this.#db.query<ProbeRow>(this.#ask, [""]) as [ProbeRow];
      return `${server}/${place}`;
    } catch (error) {
      this.#home = undefined;
      throw error;
    }
  }
}

/**
 * Reads only catalogs, which every role can read. Object ids distinguish the databases of a server;
 * the start time distinguishes servers.
 */
function question({ name }: Tables): string {
  const mark = "'hephaestus.transaction'";
  return `select set_config(${mark}, coalesce(nullif(current_setting(${mark}, true), ''), $1::text), true) as mark,
  current_setting('transaction_read_only') as read_only,
  extract(epoch from pg_postmaster_start_time())::text as server,
  (select d.oid || '/' || c.oid from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace,
    pg_catalog.pg_database d where n.nspname = '${name.replaceAll("'", "''")}'
      and c.relname = 'workflow_instances' and d.datname = current_database()) as place,
  current_database()::text as database`;
}

/** Some libraries wrap the database's error. */
function hasFailed(error: unknown): boolean {
  return [error, (error as { readonly cause?: unknown } | undefined)?.cause]
    .some((error) => sqlState(error) === "25P02");
}

function refused(why: string, options?: ErrorOptions): TypeError {
  return new TypeError(`Cannot use the transaction: ${why}`, options);
}
