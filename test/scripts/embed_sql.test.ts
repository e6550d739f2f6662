import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { current, render } from "../../scripts/embed_sql.ts";

function rendered(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "hephaestus-sql-")) + "/";
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(folder + name, text);
    return render(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("embed_sql", () => {
  it("has been run since sql/ was changed last", () => assertEquals(current(), render()));

  it("keeps backticks, backslashes and placeholders, and tells line ends alike", () => {
    const sql = "select `a`, '\\', '${b}'\n";
    const unix = rendered({ "0001_a.up.sql": sql, "0001_a.down.sql": "" });
    const windows = rendered({
      "0001_a.up.sql": sql.replace("\n", "\r\n"),
      "0001_a.down.sql": "",
    });

    assertStringIncludes(unix, "select \\`a\\`, '\\\\', '\\${b}'\n");
    assertEquals(windows, unix);
  });

  it("changes the hash with the up migration", () => {
    const hash = /sha256: "([0-9a-f]{64})"/;
    const one = rendered({ "0001_a.up.sql": "select 1", "0001_a.down.sql": "" });
    const two = rendered({ "0001_a.up.sql": "select 2", "0001_a.down.sql": "" });

    assertMatch(one, hash);
    assertEquals(hash.exec(one)?.[1] === hash.exec(two)?.[1], false);
  });

  it("refuses a gap, a wrong name and a missing down migration", () => {
    assertThrows(
      () => rendered({ "0002_a.up.sql": "", "0002_a.down.sql": "" }),
      Error,
      'Cannot embed "0002_a": expected "0001_name.up.sql" and its "down"',
    );
    assertThrows(() => rendered({ "0001_a.sql": "" }), Error, "Cannot embed");
    assertThrows(() => rendered({ "0001_a.up.sql": "" }), Error, "0001_a.down.sql");
  });
});
