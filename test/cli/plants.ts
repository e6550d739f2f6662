import type { Sql, TransactionSql } from "postgres";

/** A violation that is planted into a database with one instance, whose first step is to be run. */
export interface Plant {
  readonly rule: string;
  /** Where the rule is broken, for the name of the test. */
  readonly where?: string;
  /** Rules that are broken by the same plant. */
  readonly also?: readonly string[];
  readonly sentence: RegExp;
  /** Whether a repair lets the instance complete, or only puts the tables in order. */
  readonly repaired?: "completes" | "in place";
  plant(sql: Sql, id: string): Promise<unknown>;
}

const nobody = "00000000-0000-7000-8000-000000000000";

const result = (
  sql: Sql | TransactionSql,
  id: string,
  step: string,
  more: Record<string, unknown> = {},
) =>
  sql`insert into hephaestus.step_results ${
    sql({
      instance_id: id,
      step_ref: step,
      event: "ok",
      workflow_version: 1,
      processed: true,
      ...more,
    })
  }`;

const copyJob = (sql: Sql, step: string) =>
  sql`insert into hephaestus.jobs (id, instance_id, workflow, workflow_version, kind, state, queue, step, max_attempts)
    select id + 1, instance_id, workflow, workflow_version, kind, state, queue, ${step}, max_attempts
    from hephaestus.jobs`;

const advance = (sql: Sql, id: string) =>
  sql`insert into hephaestus.jobs (instance_id, workflow, workflow_version, kind, state, queue, unique_key)
    values (${id}, 'sick', 1, 'advance', 'available', 'default', ${id})`;

export const plants: readonly Plant[] = [
  {
    rule: "undriven",
    sentence: /^Instance [0-9a-f-]{36} is pending, but no job runs any of its steps$/,
    plant: (sql) => sql`delete from hephaestus.jobs`,
  },
  {
    rule: "undriven-undo",
    sentence:
      /^Instance [0-9a-f-]{36} undoes what its steps have done, but no job goes on with it$/,
    repaired: "in place",
    async plant(sql) {
      await sql`delete from hephaestus.jobs`;
      await sql`update hephaestus.workflow_instances
        set status = 'undoing', control = '{"active":{},"undo":{"status":"cancelled"}}'`;
    },
  },
  {
    rule: "untold",
    sentence:
      /^Step "first" of instance [0-9a-f-]{36} waits for its child 0{8}-[0-9a-f-]{27}, which has ended or is gone$/,
    repaired: "in place",
    async plant(sql, id) {
      await sql`delete from hephaestus.jobs`;
      await sql`update hephaestus.workflow_instances
        set status = 'waiting', control = '{"active":{"first":""},"later":["first"]}'`;
      const context_updates = sql.json({ child: nobody });
      await result(sql, id, "first", { event: "__async__", waits: true, context_updates });
    },
  },
  {
    rule: "stuck-items",
    sentence:
      /^2 items of each "first" of instance [0-9a-f-]{36} have begun and not ended, but fewer/,
    plant: (sql) =>
      sql`update hephaestus.workflow_instances
        set control = control || '{"each":{"first":[5,3,1,0]}}'`,
  },
  {
    rule: "unread",
    sentence: /^The result of step "first" of instance [0-9a-f-]{36} is unread, but no advance/,
    repaired: "completes",
    async plant(sql, id) {
      await sql`delete from hephaestus.jobs`;
      await result(sql, id, "first", { processed: false });
    },
  },
  {
    rule: "final-job",
    sentence: /^Job \d+ of step "first" still exists, but instance [0-9a-f-]{36} is completed$/,
    repaired: "in place",
    plant: (sql) =>
      sql`update hephaestus.workflow_instances
        set status = 'completed', finished_at = now(), control = '{"active":{}}'`,
  },
  {
    rule: "inactive-job",
    sentence: /^Job \d+ is for step "last" of instance [0-9a-f-]{36}, which is not active$/,
    repaired: "completes",
    plant: (sql) => copyJob(sql, "last"),
  },
  {
    rule: "inactive-job",
    where: "in another round",
    sentence:
      /^Job \d+ is for step "first" \(activation 2\) of instance [0-9a-f-]{36}, which is not active$/,
    repaired: "completes",
    async plant(sql) {
      await copyJob(sql, "first");
      await sql`update hephaestus.jobs set activation = 2 where id = (select max(id) from hephaestus.jobs)`;
    },
  },
  {
    rule: "double-job",
    sentence: /^Step "first" of instance [0-9a-f-]{36} has 2 jobs at once$/,
    plant: (sql) => copyJob(sql, "first"),
  },
  {
    rule: "double-advance",
    also: ["index"],
    sentence: /^Instance [0-9a-f-]{36} has 2 waiting advance jobs at once$/,
    repaired: "in place",
    async plant(sql, id) {
      await sql`drop index hephaestus.jobs_waiting_advance`;
      await advance(sql, id);
      await advance(sql, id);
    },
  },
  {
    rule: "version",
    sentence: /^Job \d+ is for version 2, but instance [0-9a-f-]{36} has another version$/,
    repaired: "completes",
    plant: (sql) => sql`update hephaestus.jobs set workflow_version = 2`,
  },
  {
    rule: "orphan-job",
    sentence: /^Job \d+ belongs to instance 00000000-[0-9a-f-]+, which does not exist$/,
    repaired: "completes",
    plant: (sql) => advance(sql, nobody),
  },
  {
    rule: "unowned",
    sentence: /^Job \d+ is executing, but its process 99 does not exist$/,
    repaired: "completes",
    plant: (sql) =>
      sql`update hephaestus.jobs set state = 'executing', process_id = 99, attempt = 1`,
  },
  {
    rule: "owned",
    sentence: /^Job \d+ is available, but process 99 owns it$/,
    repaired: "completes",
    plant: (sql) => sql`update hephaestus.jobs set process_id = 99`,
  },
  {
    rule: "silent",
    sentence:
      /^Process \d+ is over a minute past its lease, but no other process has taken over its jobs: 1$/,
    repaired: "completes",
    plant: (sql) =>
      sql`with dead as (
          insert into hephaestus.processes (name, expires_at) values ('dead', now() - interval '2 minutes')
          returning id)
        update hephaestus.jobs set state = 'executing', attempt = 1, process_id = dead.id from dead`,
  },
  {
    rule: "discarded",
    also: ["undriven"],
    sentence: /^Job \d+ of step "first" was discarded, but instance [0-9a-f-]{36} is pending$/,
    plant: (sql) => sql`update hephaestus.jobs set state = 'discarded', finished_at = now()`,
  },
  {
    rule: "double-result",
    also: ["index"],
    sentence: /^Step "early" of instance [0-9a-f-]{36} has 2 results$/,
    async plant(sql, id) {
      await sql`alter table hephaestus.step_results drop constraint step_results_pkey`;
      await result(sql, id, "early");
      await result(sql, id, "early");
    },
  },
  {
    rule: "applied-active",
    sentence: /^Step "first" of instance [0-9a-f-]{36} is active, but its result was applied$/,
    plant: (sql, id) => result(sql, id, "first", { applied_revision: 1 }),
  },
  {
    rule: "revision",
    sentence:
      /^The result of step "last" of instance [0-9a-f-]{36} is marked as applied by revision 99, which/,
    plant: (sql, id) => result(sql, id, "last", { applied_revision: 99 }),
  },
  {
    rule: "cause",
    sentence: /^The result of step "last" of .* was applied before "left", which caused it$/,
    plant: (sql, id) => result(sql, id, "last", { applied_revision: 1, causes: "left" }),
  },
  {
    rule: "orphan-result",
    sentence:
      /^The result of step "last" belongs to instance 00000000-[0-9a-f-]+, which does not exist$/,
    repaired: "completes",
    // A trigger would refuse it.
    plant: (sql) =>
      sql.begin(async (tx) => {
        await tx`set local hephaestus.writer = 'engine'`;
        await result(tx, nobody, "last");
      }),
  },
  {
    rule: "status",
    sentence:
      /^Instance [0-9a-f-]{36} is pending, but its active steps or its end time contradict this$/,
    plant: (sql) => sql`update hephaestus.workflow_instances set finished_at = now()`,
  },
  {
    rule: "key",
    also: ["index", "undriven"],
    sentence: /^Key "[^"]+" has more than one active instance\. The first is [0-9a-f-]{36}$/,
    async plant(sql) {
      await sql`drop index hephaestus.workflow_instances_unique_key`;
      await sql`insert into hephaestus.workflow_instances (id, workflow, workflow_version, status, control, key, unique_key)
        select ${nobody}, workflow, workflow_version, status, control, key, unique_key
        from hephaestus.workflow_instances`;
    },
  },
];
