import { checkOptions } from "./connection.ts";
import type { ConnectOptions, Db, Row, Tx } from "./contract.ts";
import { checkStatement, type Parameter } from "./parameters.ts";
import { Pool } from "./pool.ts";
import { plain } from "./rows.ts";
import { beginning, rollingBack } from "./settings.ts";
import { transact } from "./transaction.ts";

const closePatience = 4_000;

/** Creates a private pool. It opens no connection before the first statement. */
export function connect(given: ConnectOptions): Db {
  const options = checkOptions(given);
  const pool = new Pool(options);
  const begin = beginning(options);
  const rollback = rollingBack(options);
  const { statementTimeout = 30_000 } = options;
  const transactionDeadline = 2 * statementTimeout;

  const transaction = <T>(work: (tx: Tx) => Promise<T>, deadline: number): Promise<T> =>
    pool.use((connection) => transact(connection, { begin, rollback, deadline }, work));

  return {
    async query<R = Row>(text: string, params: readonly Parameter[] = []) {
      checkStatement(text, params);
      // Behind PgBouncer, settings last only for a transaction.
      return options.prepare === false
        ? await transaction((tx) => tx.query<R>(text, params), transactionDeadline)
        : await pool.use(async (connection) => plain<R>(await connection.send(text, params)));
    },
    // A script that begins a transaction and then fails would leave the session in that
    // transaction.
    script: (text) => transaction((tx) => tx.script(text), transactionDeadline),
    transaction: (work, { deadline = transactionDeadline } = {}) => transaction(work, deadline),
    close: () => pool.close(closePatience),
  };
}
