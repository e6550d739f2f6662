import { fileURLToPath } from "node:url";

/** The folder that the programs of the tests are started in. */
export const root = fileURLToPath(new URL("../", import.meta.url));

/** What comes before the path of a program, so that the runtime of the test runs its source. */
export const runtime = "Deno" in globalThis
  ? ["run", "--allow-all", "--no-check"]
  : ["--import", "tsx"];
