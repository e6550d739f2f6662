/**
 * Whether `job` is the executing row that a lease proves. Put so that its id alone finds it: to a
 * planner that believes the table to be empty, the index of executing jobs costs the same, and the
 * plan it keeps then reads all jobs of the process for each of them.
 */
export function held(process: string, token: string): string {
  return `(job.state, job.process_id, job.token) is not distinct from ('executing', ${process}, ${token})`;
}
