import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { sourceFiles } from "../../scripts/source_files.ts";
import * as errors from "../../src/core/errors/errors.ts";

const instance = { workflow: "order", key: "abc123" };
const cause = new Error("socket closed");

const sentences: readonly (readonly [errors.HephaestusError, string, string])[] = [
  [
    new errors.WorkflowDefinitionError(
      "Cannot build workflow \"order\": 'ship' has no transitions",
    ),
    "WORKFLOW_DEFINITION",
    "Cannot build workflow \"order\": 'ship' has no transitions",
  ],
  [
    new errors.AlreadyRunningError({ ...instance, id: "0199", status: "waiting" }),
    "ALREADY_RUNNING",
    'Cannot start order "abc123": instance "0199" is waiting',
  ],
  [
    new errors.InstanceNotFoundError(instance),
    "INSTANCE_NOT_FOUND",
    'Cannot find order "abc123": no such instance exists',
  ],
  [
    new errors.InstanceNotFoundError({ id: "0199", action: "cancel" }),
    "INSTANCE_NOT_FOUND",
    'Cannot cancel instance "0199": no such instance exists',
  ],
  [
    new errors.InstanceNotFoundError({ workflow: "order", id: "0199", action: "resume" }),
    "INSTANCE_NOT_FOUND",
    'Cannot resume order instance "0199": no such instance exists',
  ],
  [
    new errors.NotWaitingError({ ...instance, step: "approval", status: "completed" }),
    "NOT_WAITING",
    'Cannot resume order "abc123": signal "approval" is not waiting, instance is completed',
  ],
  [
    new errors.NotWaitingError({ ...instance, step: "ship", status: "failed", kind: "step" }),
    "NOT_WAITING",
    'Cannot resume order "abc123": step "ship" is not waiting, instance is failed',
  ],
  [
    new errors.NotCancellableError({ ...instance, status: "completed" }),
    "NOT_CANCELLABLE",
    'Cannot cancel order "abc123": instance is completed',
  ],
  [
    new errors.NotDeletableError({ ...instance, status: "running" }),
    "NOT_DELETABLE",
    'Cannot delete order "abc123": instance is running. Cancel it first, or pass force',
  ],
  [
    new errors.UnknownWorkflowError({ workflow: "ordr", known: ["order", "refund"] }),
    "UNKNOWN_WORKFLOW",
    'Cannot find workflow "ordr": registered workflows are "order", "refund"',
  ],
  [
    new errors.UnknownWorkflowError({ workflow: "order", version: 3, known: [1, 2] }),
    "UNKNOWN_WORKFLOW",
    'Cannot find version 3 of workflow "order": registered versions are 1, 2',
  ],
  [
    new errors.UnknownWorkflowError({ workflow: "order", known: [] }),
    "UNKNOWN_WORKFLOW",
    'Cannot find workflow "order": no workflows are registered',
  ],
  [
    new errors.SchemaVersionError('Cannot use schema "hephaestus": it has no tables'),
    "SCHEMA_VERSION",
    'Cannot use schema "hephaestus": it has no tables',
  ],
  [
    new errors.AmbiguousKeyError({ ...instance, ids: ["0199", "019a"], action: "resume" }),
    "AMBIGUOUS_KEY",
    'Cannot resume order "abc123": several instances have this key: "0199", "019a"',
  ],
  [
    new errors.InvalidValueError({
      what: 'input of workflow "order"',
      problems: [
        { path: "", message: "is not an order" },
        { path: "total", message: "is negative" },
      ],
      action: "accept",
    }),
    "INVALID_VALUE",
    'Cannot accept input of workflow "order": value is not an order, value at "total" is negative',
  ],
  [
    new errors.PayloadTooLargeError({ what: 'output of step "scan"', size: 1200, limit: 1000 }),
    "PAYLOAD_TOO_LARGE",
    'Cannot store output of step "scan": it has at least 1200 bytes, and the limit is 1000',
  ],
  [
    new errors.JobNotFoundError({ id: "17" }),
    "JOB_NOT_FOUND",
    'Cannot cancel job "17": no such scheduled delivery exists',
  ],
  [new errors.FatalError("The card was stolen"), "FATAL", "The card was stolen"],
  [new errors.RetryLaterError({ after: "5m" }), "RETRY_LATER", "Cannot finish yet"],
  [
    new errors.RetryLaterError({ after: "5m", reason: "too many requests" }),
    "RETRY_LATER",
    "Cannot finish yet: too many requests",
  ],
  [
    new errors.StepTimeoutError({ step: "charge", limit: 5000 }),
    "STEP_TIMEOUT",
    'Cannot finish step "charge": it exceeded its time limit of 5000 ms',
  ],
];

describe("errors", () => {
  for (const [error, code, message] of sentences) {
    it(`say: ${message}`, () => {
      assertEquals(error.message, message);
      assertEquals(error.code, code);
      assertInstanceOf(error, errors.HephaestusError);
    });
  }

  it("are named in sentences without a period at the end", () => {
    for (const [error] of sentences) assert(/^[A-Z].*[^.]$/.test(error.message), error.message);
  });

  it("carry their class name on the prototype and at the head of the stack", () => {
    for (const [error] of sentences) {
      assertEquals(error.name, error.constructor.name);
      assert(!Object.hasOwn(error, "name"));
      assert(error.stack?.startsWith(`${error.name}: `), error.stack);
    }
  });

  it("keep their data as plain fields", () => {
    const error = new errors.AlreadyRunningError({ ...instance, id: "0199", status: "waiting" });

    assertEquals(Object.entries(error), [
      ["code", "ALREADY_RUNNING"],
      ["workflow", "order"],
      ["key", "abc123"],
      ["id", "0199"],
      ["status", "waiting"],
    ]);
  });

  it("keep their cause", () => {
    const error = new errors.FatalError("The gateway is gone", { cause });

    assertStrictEquals(error.cause, cause);
  });

  it("stay short however many names and problems there are", () => {
    const many = Array.from({ length: 10_000 }, (_, index) => `workflow${index}`);
    const problems = many.map((path) => ({ path, message: "is wrong" }));

    const unknown = new errors.UnknownWorkflowError({ workflow: "order", known: many });
    const invalid = new errors.InvalidValueError({ what: "input", problems });

    assert(unknown.message.length < 400);
    assert(unknown.message.endsWith(" and 9990 more"));
    assert(invalid.message.length < 400);
    assert(invalid.message.endsWith(", and 9995 more"));
    assertEquals(invalid.problems.length, 10_000);
  });
});

describe("an error with a code that has a class", () => {
  it("is of that class wherever it is thrown", () => {
    const codeOf = (name: string) =>
      name.replace(/Error$/, "").replace(/(?<=[a-z])[A-Z]/g, "_$&").toUpperCase();
    const classes = new Set(Object.keys(errors).map(codeOf));
    const bare = sourceFiles(["src"]).flatMap((path) =>
      [...readFileSync(path, "utf8").matchAll(/new HephaestusError\(\s*"([A-Z_]+)"/g)]
        .filter(([, code]) => code !== undefined && classes.has(code))
        .map(([, code]) => `${path}: ${code}`)
    );
    assertEquals(bare, []);
    for (const [{ name, code }] of sentences) assertEquals(codeOf(name), code);
  });
});
