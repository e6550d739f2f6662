import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { businessKey, scopes, uniqueKey } from "../../../src/core/value/identity.ts";

describe("businessKey()", () => {
  it("takes any printable value", () => {
    for (const value of ["abc123", "ä ö/ü", "a:b", "O'Brien; drop table", "👩‍🚀", "x".repeat(200)]) {
      assertEquals(businessKey("orderid", value), `orderid::${value}`);
    }
  });

  it("refuses what cannot be printed, is too long, or has the separator in it", () => {
    for (const value of ["", "x".repeat(201), "a\nb", "a\u0000", "\ud800", "a\u2028b"]) {
      assertThrows(() => businessKey("orderid", value), TypeError, "1 to 200 printable characters");
    }
    assertThrows(() => businessKey("orderid", "a::b"), TypeError, `"::" is a separator`);
    assertThrows(() => businessKey("orderid", JSON.parse("7")), TypeError, "of type number");
  });
});

describe("uniqueKey()", () => {
  it("is the same exactly where the scope says that two instances are one", () => {
    const name = fc.constantFrom("order", "version", "global", "workflow");
    const instance = fc.record({
      name,
      version: fc.integer({ min: 1, max: 3 }),
      scope: fc.constantFrom(...scopes),
      value: fc.constantFrom("1", "order:1", ":order", "2:id"),
    });
    fc.assert(
      fc.property(instance, instance, (a, b) => {
        const key = ({ value, ...workflow }: typeof a): string | undefined =>
          uniqueKey(workflow, businessKey("id", value));
        const one = a.scope !== "none" && a.scope === b.scope && a.value === b.value &&
          (a.scope === "global" || a.name === b.name) &&
          (a.scope !== "version" || a.version === b.version);

        assertEquals(key(a) !== undefined && key(a) === key(b), one);
      }),
      { numRuns: 2_000 },
    );
  });

  it("is undefined for the scope none", () => {
    assertEquals(uniqueKey({ name: "order", version: 1, scope: "none" }, "id::1"), undefined);
  });
});
