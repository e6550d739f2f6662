import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { contains, jsonb } from "../../src/memory/jsonb.ts";

describe("jsonb()", () => {
  it("orders members by length, then by bytes", () => {
    const text = '{"bb":1,"ä":2,"c":{"zz":1,"y":2},"B":3,"a":[{"dd":1,"d":2}]}';

    assertEquals(jsonb(text), '{"B":3,"a":[{"d":2,"dd":1}],"c":{"y":2,"zz":1},"bb":1,"ä":2}');
  });

  it("keeps the value", () => {
    fc.assert(fc.property(fc.json(), (text) => {
      assertEquals(JSON.parse(jsonb(text)), JSON.parse(JSON.stringify(JSON.parse(text))));
    }));
  });

  it("refuses what is not JSON", () => {
    assertThrows(() => jsonb("{"), SyntaxError);
  });
});

describe("contains()", () => {
  it("holds for every object and itself", () => {
    fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
      const value = JSON.parse(JSON.stringify(object));
      assertEquals(contains(value, value), true);
    }));
  });

  it("reads own members only", () => {
    assertEquals(contains({}, { constructor: {} }), false);
    assertEquals(contains({}, JSON.parse('{"__proto__":{}}')), false);
  });
});
