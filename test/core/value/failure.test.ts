import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { FatalError } from "../../../src/core/errors/errors.ts";
import { type Failure, failure, toError } from "../../../src/core/value/failure.ts";

const unprintable: Failure = { name: "Error", message: "unprintable error" };

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function bytes(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value)).length;
}

function depth({ cause }: Failure): number {
  return cause === undefined ? 0 : 1 + depth(cause);
}

function chain(length: number, message: string): Error {
  const cause = length === 0 ? undefined : chain(length - 1, message);
  return new Error(message, { cause });
}

const huge = "x".repeat(50_000_000);

const thrown: readonly { readonly title: string; make(): unknown; readonly says: string }[] = [
  { title: "undefined", make: () => undefined, says: "Thrown value is undefined, not an error" },
  { title: "null", make: () => null, says: "Thrown value is null, not an error" },
  { title: "a text", make: () => "no stock", says: "no stock" },
  { title: "a number", make: () => 404, says: "Thrown value is 404, not an error" },
  { title: "a bigint", make: () => 1n, says: "Thrown value is a bigint, not an error" },
  { title: "a symbol", make: () => Symbol("s"), says: "Thrown value is a symbol, not an error" },
  { title: "a function", make: () => () => 1, says: "Thrown value is a function, not an error" },
  {
    title: "an object of the caller's",
    make: () => ({ password: "hidden" }),
    says: "Thrown value is an object, not an error",
  },
  {
    title: "a Response",
    make: () => new Response("hidden"),
    says: "Thrown value is a Response, not an error",
  },
  {
    title: "an object with a hostile toString",
    make: () => ({
      toString() {
        throw new Error("no");
      },
    }),
    says: "Thrown value is an object, not an error",
  },
  { title: "a frozen object", make: () => Object.freeze({ message: "frozen" }), says: "frozen" },
  { title: "a frozen error", make: () => Object.freeze(new Error("cold")), says: "cold" },
  {
    title: "an error whose message throws",
    make: () =>
      Object.defineProperty(new Error(), "message", {
        get() {
          throw new Error("no");
        },
      }),
    says: "unprintable error",
  },
  {
    title: "an error whose message is no text",
    make: () => Object.assign(new Error(), { message: { toString: () => huge } }),
    says: "unprintable error",
  },
  { title: "a revoked proxy", make: revoked, says: "unprintable error" },
  {
    title: "an AggregateError of a hundred thousand",
    make: () => new AggregateError(Array.from({ length: 100_000 }, () => new Error("one"))),
    says: "",
  },
  {
    title: "a stack of 50 MB",
    make: () => Object.assign(new Error("deep"), { stack: huge }),
    says: "deep",
  },
  { title: "U+0000", make: () => new Error("a\0b"), says: "a\ufffdb" },
  { title: "lone surrogates", make: () => new Error("\ud800a\udfff😀"), says: "\ufffda\ufffd😀" },
];

describe("failure()", () => {
  for (const { title, make, says } of thrown) {
    it(`turns ${title} into bounded text`, () => {
      const told = failure(make());

      assertEquals(told.message, says);
      assertEquals(told.name, "Error".padStart(told.name.length, "Aggregate"));
      assert(bytes(told) < 16_000);
    });
  }

  it("answers anything that is thrown", () => {
    fc.assert(fc.property(fc.anything({ withNullPrototype: true, withBigInt: true }), (value) => {
      const told = failure(value);

      assertEquals(JSON.parse(JSON.stringify(told)), told);
      assert(bytes(told) < 16_000);
    }));
  });

  it("stays under 16 kB for texts of any kind, five causes deep", () => {
    for (const text of ["x", "\n", '"', "\u0001", "é", "日", "😀", "\ud800", "\0"]) {
      const error = chain(20, text.repeat(50_000));

      const told = failure(error);

      assert(bytes(told) < 16_000, `${JSON.stringify(text)}: ${bytes(told)}`);
      assertStringIncludes(told.message, text === "\ud800" || text === "\0" ? "\ufffd" : text);
      assert(told.message.endsWith("..."));
    }
  });

  it("follows causes, five at most and none twice", () => {
    const selfish = new Error("circular");
    selfish.cause = new Error("inner", { cause: selfish });

    assertEquals(depth(failure(chain(20, "short"))), 5);
    assertEquals(depth(failure(selfish)), 1);
    assertEquals(failure(selfish).cause?.message, "inner");
  });

  it("takes the first part of an AggregateError for its cause", () => {
    const refused = Object.assign(new Error("connect"), { code: "ECONNREFUSED" });

    assertEquals(failure(new AggregateError([refused, refused])).cause?.code, "ECONNREFUSED");
  });

  it("keeps what can be told when the cause cannot", () => {
    const told = failure(new Error("outer", { cause: revoked() }));

    assertEquals(told.message, "outer");
    assertEquals(told.cause, unprintable);
  });

  it("keeps name, message, code and stack of an error", () => {
    const error = new FatalError("The card was stolen");

    const told = failure(error);

    assertEquals(told, {
      name: "FatalError",
      message: "The card was stolen",
      code: "FATAL",
      stack: error.stack ?? "",
    });
  });

  it("tells nothing else of a driver's error", () => {
    const error = Object.assign(new Error("duplicate key"), {
      code: "23505",
      detail: "Key (email)=(hidden)",
      query: "insert hidden",
      parameters: ["hidden"],
    });

    assertEquals(Object.keys(failure(error)).toSorted(), ["code", "message", "name", "stack"]);
    assert(!JSON.stringify(failure(error)).includes("hidden"));
  });

  it("masks credentials in addresses", () => {
    const texts = [
      "connect to postgres://user:hidden@db:5432/app failed",
      "connect to postgresql://user:hid/hidden@@db/app",
      "fetch of https://hidden@example.org/a failed",
      "host=db password=hidden user=app",
    ];
    for (const text of texts) {
      const told = failure(new Error(text, { cause: new Error(text) }));

      assert(!JSON.stringify(told).includes("hidden"), told.message);
      assertStringIncludes(told.message, "***");
    }
    assertEquals(failure(texts[0]).message, "connect to postgres://***@db:5432/app failed");
    assertEquals(failure("see http://localhost:80/a@b").message, "see http://localhost:80/a@b");
  });

  it("masks the secrets that it is told, everywhere", () => {
    const error = Object.assign(new Error("a hidden b hidden", { cause: "hidden" }), {
      name: "hidden",
      code: "hidden",
    });

    const told = failure(error, ["", "hidden"]);

    assert(!JSON.stringify(told).includes("hidden"));
    assertEquals(told.message, "a *** b ***");
  });

  it("leaves no half of a secret wherever a long text is cut", () => {
    const secret = `hidden${"-and-long".repeat(20)}`;
    const texts = [`postgres://user:${secret}@db/app `, `the token ${secret} `];

    texts.forEach((text, index) => {
      for (let shift = 0; shift < text.length; shift++) {
        const told = failure(" ".repeat(shift) + text.repeat(100), index === 0 ? [] : [secret]);

        assert(!told.message.includes("hid"), told.message);
        assertStringIncludes(told.message, "***");
      }
    });
  });

  it("is quick about a text made to slow it down", () => {
    const texts = [
      "postgres://".repeat(5000),
      "://".repeat(20_000),
      "password=".repeat(5000),
      huge,
    ];

    for (const text of texts) assert(bytes(failure(text)) < 16_000);
  });
});

describe("toError()", () => {
  it("gives back an error that tells the same", () => {
    const error = new FatalError("outer", { cause: new RangeError("inner") });
    const told = failure(error);

    const again = toError(told);

    assertInstanceOf(again, Error);
    assertEquals(failure(again), told);
    assertEquals(Object.keys(again), ["code"]);
  });

  it("makes a stack where there is none", () => {
    assertEquals(toError(unprintable).stack, "Error: unprintable error");
  });
});
