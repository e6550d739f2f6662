import { ServerVersionError } from "../../core/errors/errors.ts";
import type { Tx } from "../driver/contract.ts";

const oldest = 15;

/** Throws if the server is older than the versions that the tests cover. */
export async function assertServer(on: Pick<Tx, "query">): Promise<void> {
  const [row] = await on.query<{ version: string; number: string }>(
    "select current_setting('server_version') as version, current_setting('server_version_num') as number",
  );
  if (Number(row?.number) >= oldest * 10_000) return;
  throw new ServerVersionError(
    `Cannot use PostgreSQL ${row?.version}: version ${oldest} or newer is required`,
  );
}
