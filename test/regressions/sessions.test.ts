import { assertEquals, assertStringIncludes } from "@std/assert";
import { done, step, type, workflow } from "../../mod.ts";
import type { Sql } from "../../src/core/define/context.ts";
import { onPostgres } from "../everywhere.ts";

/** What a test has a step's transaction do, and what the next one is asked. */
let code: (sql: Sql) => Promise<unknown> = () => Promise.resolve();

const act = step("act", {
  events: { ok: type<{ seen: string | null }>() },
  retry: { attempts: 1 },
  run: ({ emit, tx }) => tx(async (sql) => emit.ok({ seen: String(await code(sql)) })),
});
const flow = workflow("flow", { key: "id", input: type(), start: act }).on(act, { ok: done })
  .build();
const workflows = [flow];

/** What outlives a transaction, unless somebody cleans up, and how the next one would see it. */
const traces: Readonly<Record<string, readonly [leave: string, see: string, clean: string]>> = {
  "a setting": [
    "select set_config('app.tenant', 'ACME', false)",
    "select current_setting('app.tenant', true) as seen",
    "",
  ],
  "a setting made in a block": [
    "do $$ begin set work_mem = '77MB'; end $$",
    "select (current_setting('work_mem') = '77MB')::text as seen",
    "false",
  ],
  "a search path": [
    "select set_config('search_path', 'pg_temp', false)",
    "select current_setting('search_path') as seen",
    '"$user", public',
  ],
  "a role": [
    "do $$ begin set role pg_monitor; end $$",
    "select (current_user = session_user)::text as seen",
    "true",
  ],
  "an advisory lock": [
    "select pg_advisory_lock(4711)::text",
    "select count(*)::text as seen from pg_locks where locktype = 'advisory' and objid = 4711",
    "0",
  ],
  "a temporary table": [
    "create temporary table traces (n int)",
    "select coalesce(to_regclass('pg_temp.traces')::text, 'none') as seen",
    "none",
  ],
  "a cursor": [
    "declare traces cursor with hold for select 1",
    "select count(*)::text as seen from pg_cursors where name = 'traces'",
    "0",
  ],
  "a channel": [
    "do $$ begin execute 'listen traces'; end $$",
    "select count(*)::text as seen from pg_listening_channels()",
    "0",
  ],
  "a prepared statement": [
    "do $$ begin execute 'prepare traces as select 1'; end $$",
    "select count(*)::text as seen from pg_prepared_statements where name = 'traces'",
    "0",
  ],
};

onPostgres("the session of a step's transaction", (it) => {
  const ends = ["commit", "rollback"].flatMap((end) => [
    { end, prepare: true, name: `keeps no trace of it after a ${end}` },
    { end, prepare: false, name: `keeps none after a ${end} where a pooler shares it` },
  ]);
  for (const { end, prepare, name } of ends) {
    it(name, { workflows, poolSize: 5, prepare }, async ({ hephaestus, work }) => {
      await work();
      for (const [what, [leave, see, clean]] of Object.entries(traces)) {
        code = async (sql) => {
          await sql.query(leave);
          if (end === "rollback") throw new Error("rolled back");
        };
        await (await hephaestus.start(flow, `leaves ${what}`, undefined)).result();
        code = async (sql) => (await sql.query<{ seen: string | null }>(see))[0]?.seen ?? "";
        await (await hephaestus.start(flow, `looks for ${what}`, undefined)).result();

        const [found] = await hephaestus.history(flow, `looks for ${what}`);
        assertEquals([what, found?.output], [what, { seen: clean }]);
      }
    });
  }

  it("has the planner settings of the database", { workflows }, async ({ hephaestus, work }) => {
    await work();
    code = async (sql) =>
      (await sql<{ seen: string }>`select string_agg(name, ',') as seen from pg_settings
        where name ~ '^enable_|^plan_cache_mode$|_cost$' and source not in ('default', 'configuration file')`)[
        0
      ]
        ?.seen;
    await (await hephaestus.start(flow, "asks", undefined)).result();

    const [found] = await hephaestus.history(flow, "asks");
    assertEquals(found?.output, { seen: "null" });
  });

  const local = [
    "set local role pg_monitor",
    "set local search_path = pg_temp",
    "set local statement_timeout = 1",
    "set local enable_indexscan = off",
    "set local datestyle = 'SQL, DMY'",
    "set local lock_timeout = 1",
    "set local transform_null_equals = on",
    "set local row_security = off",
    "set local session authorization pg_monitor",
  ];
  it("is the engine's again when its result is written", { workflows }, async ({
    hephaestus,
    work,
  }) => {
    await work();
    for (const [n, statement] of local.entries()) {
      code = async (sql) => void await sql.query(statement);
      const { status, error } = await (await hephaestus.start(flow, `sets ${n}`, undefined))
        .result();

      assertEquals([statement, status, error], [statement, "completed", undefined]);
    }
  });

  it("has the engine's timeouts again too where a pooler shares it", {
    workflows,
    poolSize: 5,
    prepare: false,
  }, async ({ hephaestus, work, sql }) => {
    await sql`create table seen (statement text, idle text)`;
    await sql.unsafe(`create function see() returns trigger language plpgsql as $$ begin
      insert into public.seen values (current_setting('statement_timeout'),
        current_setting('idle_in_transaction_session_timeout'));
      return null;
    end $$;
    create trigger see after insert on hephaestus.step_results for each row execute function see();`);
    await work();
    code = async (sql) => void await sql.query("set local statement_timeout = 1");
    await (await hephaestus.start(flow, "asks", undefined)).result();

    assertEquals(Array.from(await sql`select * from seen`), [{ statement: "30s", idle: "30s" }]);
  });

  it("checks what was deferred under the settings of the step", { workflows }, async ({
    hephaestus,
    work,
    sql,
  }) => {
    await sql.unsafe(`
      create table audited (tenant text);
      create function audit() returns trigger language plpgsql as $$
        begin
          if current_setting('app.tenant') <> new.tenant then raise 'wrong tenant'; end if;
          return null;
        end $$;
      create constraint trigger audit after insert on audited deferrable initially deferred
        for each row execute function audit()`);
    await work();
    code = async (sql) => {
      await sql`select set_config('app.tenant', 'five', true)`;
      await sql`insert into audited values ('five')`;
    };
    const { status } = await (await hephaestus.start(flow, "audits", undefined)).result();
    code = async (sql) => {
      await sql`select set_config('app.tenant', 'six', true)`;
      await sql`insert into audited values ('five')`;
    };
    const refused = await (await hephaestus.start(flow, "lies", undefined)).result();

    assertEquals([status, refused.status], ["completed", "failed"]);
    assertStringIncludes(JSON.stringify(refused.error), "wrong tenant");
  });
}, ["inline"]);
