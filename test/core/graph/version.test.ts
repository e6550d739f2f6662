import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { UnknownWorkflowError, WorkflowDefinitionError } from "../../../src/core/errors/errors.ts";
import { step } from "../../../src/core/define/step.ts";
import { done } from "../../../src/core/define/target.ts";
import { type } from "../../../src/core/value/type.ts";
import { resolve, versioned } from "../../../src/core/graph/version.ts";
import { workflow } from "../../../src/core/graph/builder.ts";

const send = step("send", { events: { sent: type() }, run: ({ emit }) => emit.sent() });
const mail = workflow("mail", { key: "id", input: type(), start: send })
  .on(send, { sent: done })
  .build();
const other = workflow("other", { key: "id", input: type(), start: send })
  .on(send, { sent: done })
  .build();

// deno-lint-ignore no-explicit-any
const plain: any = versioned;

describe("versioned()", () => {
  it("gives each workflow the version that it stands under, and leaves the original alone", () => {
    const all = versioned("mail", { versions: { 1: mail, 7: mail }, current: 7 });

    assertEquals([...all.versions].map(([key, { version }]) => [key, version]), [[1, 1], [7, 7]]);
    assertEquals(mail.version, 1);
    assertEquals(all.versions.get(7)?.toMermaid(), mail.toMermaid());
  });

  const refused: readonly [name: string, options: unknown, sentence: string][] = [
    [
      "a version of another workflow",
      { versions: { 1: other }, current: 1 },
      `is workflow "other"`,
    ],
    ["a current version that is none", { versions: { 1: mail }, current: 2 }, "current version 2"],
    ["a version that is no number", { versions: { one: mail }, current: 1 }, `version "one"`],
    [
      "version zero",
      { versions: { 0: mail }, current: 0 },
      `version "0" is not a positive whole number`,
    ],
    ["something that is no workflow", { versions: { 1: {} }, current: 1 }, "is not a workflow"],
    ["no versions", {}, `option "versions" is not an object`],
    ["no options", undefined, "its options are not an object"],
    ["a pick that is no function", { versions: { 1: mail }, current: 1, pick: 1 }, `"pick"`],
  ];
  for (const [name, options, sentence] of refused) {
    it(`refuses ${name}`, () => {
      assertThrows(() => plain("mail", options), WorkflowDefinitionError, sentence);
    });
  }
});

describe("resolve()", () => {
  const all = versioned("mail", {
    versions: { 1: mail, 2: mail, 3: mail },
    current: 3,
    pick: ({ tags }) => tags?.includes("old") ? 1 : undefined,
  });

  it("takes the version asked for, then what was picked, then the current one", () => {
    assertEquals(resolve(all, 2, { tags: ["old"] }).version, 2);
    assertEquals(resolve(all, undefined, { tags: ["old"] }).version, 1);
    assertEquals(resolve(all, undefined, {}).version, 3);
    assertEquals(resolve(mail, undefined, {}).version, 1);
    assertEquals(resolve(mail, 1, {}).version, 1);
  });

  it("refuses a version that does not exist, asked for or picked", () => {
    const astray = plain("mail", { versions: { 1: mail }, current: 1, pick: () => 8 });

    assertThrows(() => resolve(all, 9, {}), UnknownWorkflowError, `version 9 of workflow "mail"`);
    assertThrows(() => resolve(mail, 2, {}), UnknownWorkflowError, `version 2 of workflow "mail"`);
    assertThrows(() => resolve(astray, undefined, {}), UnknownWorkflowError, "version 8");
  });
});
