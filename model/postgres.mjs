// Two-session checks of the PostgreSQL behaviour that the model assumes.   node postgres.mjs postgres://...
// Makes and drops the schema model_check.
const { default: pg } = await import(process.env.PG_MODULE ?? "pg");
const url = process.argv[2];
const open = async () => {
  const c = new pg.Client({ connectionString: url });
  await c.connect();
  await c.query("set search_path = model_check");
  return c;
};
const admin = new pg.Client({ connectionString: url });
await admin.connect();
const [a, b] = [
  await (await admin.query("create schema if not exists model_check"), open()),
  await open(),
];

const reset = () =>
  admin.query(`
  set client_min_messages = warning; set search_path = model_check;
  drop table if exists inst, procs, jobs, res;
  create table inst (id int primary key, version int); create table procs (id text primary key, beat int);
  create table jobs (id int primary key, instance_id int, kind text, state text, owner text);
  create unique index one_waiting on jobs (instance_id) where kind = 'advance' and state = 'available';
  create table res (instance_id int, step text, primary key (instance_id, step));
  insert into inst values (1, 7); insert into procs values ('me', 0); insert into jobs values (1, 1, 'execute', 'executing', 'me');`);

const commit = `
  with alive as materialized (select id from procs where id = 'me' for key share),
  advanced as (update inst i set version = i.version + 1 from (values (1, 7)) x(id, version), alive
    where i.id = x.id and i.version = x.version returning i.id),
  recorded as (insert into res select id, 'a' from advanced),
  settled as (delete from jobs where id = 1 and instance_id in (select id from advanced)),
  started as (insert into jobs select 2, id, 'execute', 'executing', 'me' from advanced)
  select coalesce(array_agg(id), '{}') ids from advanced`;
const rows = async (sql) =>
  JSON.stringify((await admin.query(sql)).rows.map((r) => Object.values(r)).flat());
const blocked = async (
  promise,
) => (await Promise.race([
  promise.then(() => "no"),
  new Promise((f) => setTimeout(f, 150, "yes")),
]));
const say = (name, got, want) => {
  console.log(`${got === want ? "ok  " : "BAD "} ${name}: ${got}`);
  if (got !== want) process.exitCode = 1;
};

// 1. a rescue in flight blocks the commit, and its commit leaves it nothing to write
await reset();
await a.query("begin; delete from procs where id = 'me'");
let p = b.query(commit);
say("commit waits for a rescue", await blocked(p), "yes");
await a.query("update jobs set state = 'available', owner = null where owner = 'me'; commit");
say(
  "then writes nothing",
  JSON.stringify((await p).rows[0].ids) + await rows("select version from inst") +
    await rows("select step from res"),
  "[][7][]",
);

// 2. a heartbeat neither waits for the key share lock nor makes it wait
await reset();
await a.query("begin");
await a.query(commit);
p = b.query("update procs set beat = 1 where id = 'me'");
say("heartbeat waits for a commit", await blocked(p), "no");
// 3. and a rescue waits for the commit; in one statement it misses the job that the commit starts
p = b.query(
  "with dead as (delete from procs where id = 'me' returning id) update jobs set state = 'available', owner = null from dead where owner = dead.id",
);
say("rescue waits for a commit", await blocked(p), "yes");
await a.query("commit");
await p;
say("rescue in one statement leaves", await rows("select owner from jobs"), '["me"]');
await reset();
await a.query("begin");
await a.query(commit);
await b.query("begin");
p = b.query("delete from procs where id = 'me'");
await blocked(p);
await a.query("commit");
await p;
await b.query("update jobs set state = 'available', owner = null where owner = 'me'");
await b.query("commit");
say("rescue in two statements leaves", await rows("select owner from jobs"), "[null]");

// 4. commit against a changed, and against a merely locked, instance
for (
  const [name, sql, want] of [["changed", "update inst set version = 8", "[]"], [
    "locked",
    "select from inst for no key update",
    "[1]",
  ]]
) {
  await reset();
  await a.query("begin; " + sql);
  p = b.query(commit);
  await blocked(p);
  await a.query("commit");
  say(`commit after the instance was ${name}`, JSON.stringify((await p).rows[0].ids), want);
}

// 5. cancel in one statement misses the job that the commit starts
for (const [name, two, want] of [["one statement", false, "[2]"], ["two statements", true, "[]"]]) {
  await reset();
  await a.query("begin");
  await a.query(commit);
  await b.query("begin");
  p = two ? b.query("update inst set version = version + 1 where id = 1") : b.query(
    "with c as (update inst set version = version + 1 where id = 1 returning id) delete from jobs using c where instance_id = c.id",
  );
  await blocked(p);
  await a.query("commit");
  await p;
  if (two) await b.query("delete from jobs where instance_id = 1");
  await b.query("commit");
  say(`cancel in ${name} leaves`, await rows("select id from jobs"), want);
}

// 6. the waiting advance: DO NOTHING does not hold it, DO UPDATE ... WHERE false does
const claim =
  "update jobs set state = 'executing' where id = any(array(select id from jobs where state = 'available' limit 1 for update skip locked)) returning id";
for (
  const [form, want] of [["do nothing", "[9]"], [
    "do update set state = jobs.state where false",
    "[]",
  ]]
) {
  await reset();
  await admin.query("insert into jobs values (9, 1, 'advance', 'available', null)");
  await a.query("begin");
  await a.query(
    `insert into jobs values (10, 1, 'advance', 'available', null) on conflict (instance_id) where kind = 'advance' and state = 'available' ${form}`,
  );
  say(
    `claim during "${form.slice(0, 9)}"`,
    JSON.stringify((await b.query(claim)).rows.map((r) => r.id)),
    want,
  );
  await a.query("rollback");
}
await admin.query("drop schema model_check cascade");
for (const c of [a, b, admin]) await c.end();
