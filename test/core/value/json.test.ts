import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { jsonb } from "../../../src/memory/jsonb.ts";
import { describe, it } from "node:test";
import { InvalidValueError, PayloadTooLargeError } from "../../../src/core/errors/errors.ts";
import { byteLength, decode, encode, pathText } from "../../../src/core/value/json.ts";
import { hostileValues } from "./hostile_values.ts";

const options = { what: 'output of step "charge"', limit: 1_000_000 };

function refusal(value: unknown): string {
  return assertThrows(() => encode(value, options), InvalidValueError).message;
}

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = { in: value };
  return value;
}

const safeText = fc.string({ unit: "binary" }).filter((text) => !/\0|\p{Surrogate}/u.test(text));
const jsonValue = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    safeText,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 5 }),
    fc.dictionary(
      fc.oneof(safeText, fc.constantFrom("constructor", "toJSON", "valueOf")),
      tie("value"),
      {
        maxKeys: 5,
      },
    ).filter((object) => !Object.hasOwn(object, "__proto__")),
  ),
})).value;

describe("json.encode()", () => {
  it("writes what JSON.stringify writes, in the order of jsonb, for every value that JSON can carry", () => {
    fc.assert(fc.property(jsonValue, (value) => {
      const text = encode(value, options);

      assertEquals(JSON.stringify(decode(text)), jsonb(JSON.stringify(value)));
      assertEquals(encode(decode(text), options), text);
    }));
  });

  it("counts the bytes of the text exactly", () => {
    fc.assert(fc.property(jsonValue, (value) => {
      const limit = new TextEncoder().encode(JSON.stringify(value)).length;

      encode(value, { what: "value", limit });
      assertThrows(() => encode(value, { what: "value", limit: limit - 1 }), PayloadTooLargeError);
    }));
  });

  it("answers anything with a text or one of two errors", () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
      withSparseArray: true,
      withTypedArray: true,
      withBoxedValues: true,
      withObjectString: true,
    });
    fc.assert(fc.property(anything, (value) => {
      let text: string;
      try {
        text = encode(value, options);
      } catch (error) {
        assert(error instanceof InvalidValueError || error instanceof PayloadTooLargeError);
        return;
      }
      assertEquals(encode(decode(text), options), text);
    }));
  });

  for (const { title, make, says } of hostileValues) {
    it(`refuses ${title} and leaves a hundred good calls unharmed`, async () => {
      const good = { id: "abc123", lines: [1, 2, { sku: "ü" }] };
      const calls = Array.from({ length: 101 }, async (_, index) => {
        await Promise.resolve();
        return index === 50
          ? assertThrows(() => encode(make(), options), InvalidValueError).message
          : encode(good, options);
      });

      const answers = await Promise.all(calls);

      assertEquals(answers[50], `Cannot store output of step "charge": value ${says}`);
      const others = new Set(answers.toSpliced(50, 1));
      assertEquals([...others], [JSON.stringify(good)]);
      assertEquals(Object.getOwnPropertyNames(Object.prototype).includes("polluted"), false);
    });
  }

  it("drops members that are undefined, symbols or not enumerable", () => {
    const value = Object.defineProperty({ a: 1, b: undefined, [Symbol("c")]: 3 }, "d", {
      value: 4,
    });

    assertEquals(encode(value, options), '{"a":1}');
  });

  it("writes -0 as 0", () => {
    assertEquals(encode([-0], options), "[0]");
  });

  it("reads a getter once and writes what it has read", () => {
    let reads = 0;
    const value = {
      get amount(): unknown {
        return ++reads === 1 ? 7 : new Date();
      },
    };

    assertEquals(encode(value, options), '{"amount":7}');
    assertEquals(reads, 1);
  });

  it("writes what a proxy has answered, not what it answers next", () => {
    const answers: unknown[] = [1, 10n];
    const value = new Proxy({ a: 0 }, { get: () => answers.shift() });

    assertEquals(encode(value, options), '{"a":1}');
  });

  it("keeps the cause when a member cannot be read", () => {
    const cause = new Error("no");
    const value = {
      get a(): never {
        throw cause;
      },
    };

    const error = assertThrows(() => encode(value, options), InvalidValueError);

    assertStrictEquals(error.cause, cause);
  });

  it("takes 200 levels and refuses one more", () => {
    encode(nested(200), options);
    assert(refusal(nested(201)).endsWith("is nested deeper than 200 levels"));
    assert(refusal(nested(20_000)).length < 400);
  });

  it("takes the same object in two places, for that is no circle", () => {
    const shared = { a: 1 };

    assertEquals(encode([shared, shared], options), '[{"a":1},{"a":1}]');
  });

  it("takes objects of another realm's kind", () => {
    const foreign = Object.create(null, { isPrototypeOf: { value: () => false } });

    assertEquals(encode(Object.assign(Object.create(foreign), { a: 1 }), options), '{"a":1}');
  });

  it("takes a million members", () => {
    const value = Object.fromEntries(Array.from({ length: 1_000_000 }, (_, index) => [index, 0]));

    assertEquals(encode(value, { what: "value", limit: 1e8 }), JSON.stringify(value));
  });

  it("stops at the limit instead of building the whole text", () => {
    let reads = 0;
    const endless = new Proxy([], { get: (_, name) => name === "length" ? 2 ** 53 - 1 : ++reads });
    const laughs = Array.from({ length: 60 }).reduce((inner) => [inner, inner], "ha");

    for (const value of [endless, laughs, "x".repeat(256_000_000), ["\u0001".repeat(400_000)]]) {
      const error = assertThrows(() => encode(value, options), PayloadTooLargeError);
      assertEquals(error.limit, 1_000_000);
      assert(error.size > 1_000_000);
    }
    assert(reads < 1_000_000);
  });

  it("stops at members that are undefined without end", () => {
    const empty = Object.fromEntries(
      Array.from({ length: 100_000 }, (_, at) => [`k${at}`, undefined]),
    );
    const value = new Array(200_000).fill(empty);

    assert(refusal(value).endsWith("has too many undefined members"));
  });
});

describe("json.decode()", () => {
  it("leaves out members named __proto__, however they are spelled", () => {
    for (const name of ["__proto__", "__pr\\u006fto__", "\\u005F\\u005Fproto__"]) {
      const value = decode(`{"a":{"${name}":{"polluted":1},"b":2},"c":[{"${name}":3}]}`);

      assertEquals(JSON.stringify(value), '{"a":{"b":2},"c":[{}]}');
    }
    assertEquals(Reflect.get({}, "polluted"), undefined);
  });

  it("keeps members named constructor and prototype as data", () => {
    const text = '{"constructor":{"prototype":{"polluted":1}}}';

    assertEquals(JSON.stringify(decode(text)), text);
    assertEquals(Reflect.get({}, "polluted"), undefined);
  });
});

describe("json.pathText()", () => {
  it("writes names that are no identifiers in brackets", () => {
    assertEquals(
      pathText(["a b", "c", 0, "d\0", Symbol("e")]),
      '["a b"].c[0]["d\\u0000"]["Symbol(e)"]',
    );
  });
});

describe("json.byteLength()", () => {
  it("counts as UTF-8 does", () => {
    fc.assert(fc.property(safeText, (text) => {
      assertEquals(byteLength(text), new TextEncoder().encode(text).length);
    }));
  });
});
