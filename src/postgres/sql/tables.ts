import { quoteIdentifier } from "./identifiers.ts";

/** The engine's tables, quoted and qualified for use in a statement. */
export interface Tables {
  /** The name of the schema, unquoted. */
  readonly name: string;
  readonly schema: string;
  readonly instances: string;
  readonly results: string;
  readonly jobs: string;
  readonly processes: string;
  readonly graphs: string;
  readonly versions: string;
  /** The sequence of job ids, as a text literal for `nextval`. */
  readonly jobIds: string;
}

/** The tables of one schema. Throws when the name cannot be a schema. */
export function tablesOf(schema: string): Tables {
  const quoted = quoteIdentifier(schema);
  return {
    name: schema,
    schema: quoted,
    instances: `${quoted}.workflow_instances`,
    results: `${quoted}.step_results`,
    jobs: `${quoted}.jobs`,
    processes: `${quoted}.processes`,
    graphs: `${quoted}.workflow_graphs`,
    versions: `${quoted}.workflow_versions`,
    jobIds: `'${`${quoted}.jobs_id_seq`.replaceAll("'", "''")}'`,
  };
}
