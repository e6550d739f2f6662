/** A value that JSON cannot represent, and what its refusal says after "value". */
export interface HostileValue {
  readonly title: string;
  make(): unknown;
  readonly says: string;
}

class Money {
  readonly amount = 1;
}

function circular(): unknown {
  const order: { lines: unknown[] } = { lines: [] };
  order.lines.push({ order });
  return order;
}

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function kind(title: string, value: unknown, name: string = title): HostileValue {
  return {
    title,
    make: () => ({ items: [0, 1, 2, { when: value }] }),
    says: `at "items[3].when" is ${name}, which JSON cannot represent`,
  };
}

export const hostileValues: readonly HostileValue[] = [
  kind("a Date", new Date(0)),
  kind("a bigint", 10n),
  kind("a function", () => 1),
  kind("a symbol", Symbol("s")),
  kind("a Map", new Map([[1, 2]])),
  kind("a Set", new Set([1])),
  kind("a RegExp", /x/),
  kind("an Error", new Error("x")),
  kind("a Promise", Promise.resolve(1)),
  kind("a Uint8Array", new Uint8Array(2)),
  kind("a Number", Object(1)),
  kind("a class instance", new Money(), "a Money"),
  kind("a URL, whose toJSON would be called", new URL("http://localhost"), "a URL"),
  kind("NaN", Number.NaN),
  kind("Infinity", Infinity),
  kind("1e400", 1e400, "Infinity"),
  kind("-Infinity", -Infinity),
  kind("an object with an odd prototype", Object.create({ a: 1 }), "an object"),
  kind("an object with a bare prototype", Object.create(Object.create(null)), "an object"),
  {
    title: "undefined itself",
    make: () => undefined,
    says: "is undefined, which JSON cannot represent",
  },
  {
    title: "undefined in an array",
    make: () => ({ list: [1, undefined] }),
    says: 'at "list[1]" is undefined, which JSON cannot represent',
  },
  {
    title: "a hole in an array",
    make: () => Array(3),
    says: 'at "[0]" is undefined, which JSON cannot represent',
  },
  {
    title: "an array of four thousand million holes",
    make: () => Array(2 ** 32 - 1),
    says: 'at "[0]" is undefined, which JSON cannot represent',
  },
  {
    title: "an array with a named member",
    make: () => ({ found: "abc".match(/b/) }),
    says: 'at "found" is an array with holes or named members, which JSON cannot represent',
  },
  {
    title: "a circle",
    make: circular,
    says: 'at "lines[0].order" is circular, which JSON cannot represent',
  },
  {
    title: "U+0000 in a text",
    make: () => ({ note: "a\0b" }),
    says: 'at "note" contains the character U+0000, which PostgreSQL cannot store',
  },
  {
    title: "U+0000 in a name",
    make: () => ({ "a\0": 1 }),
    says:
      'at "["a\\u0000"]" is a member whose name contains the character U+0000, which PostgreSQL cannot store',
  },
  {
    title: "a lone surrogate in a text",
    make: () => ["\ud800"],
    says: 'at "[0]" contains a lone surrogate, which is not a character',
  },
  {
    title: "a lone surrogate in a name",
    make: () => ({ "\udfffx": 1 }),
    says:
      'at "["\\udfffx"]" is a member whose name contains a lone surrogate, which is not a character',
  },
  {
    title: "a member named __proto__",
    make: () => JSON.parse('{"a":{"__proto__":{"polluted":true}}}'),
    says: 'at "a" has a member named "__proto__", which is not safe',
  },
  {
    title: "an own toJSON method",
    make: () => ({ a: { toJSON: () => 1 } }),
    says: 'at "a" has a toJSON method: store what it returns instead',
  },
  {
    title: "a toJSON method that throws",
    make: () => ({
      toJSON() {
        throw new Error("no");
      },
    }),
    says: "has a toJSON method: store what it returns instead",
  },
  {
    title: "a toJSON method that is not enumerable, on an array",
    make: () => Object.defineProperty([1], "toJSON", { value: () => 2 }),
    says: "has a toJSON method: store what it returns instead",
  },
  {
    title: "a getter that throws",
    make: () => ({
      a: {
        get b(): never {
          throw new Error("no");
        },
      },
    }),
    says: 'at "a.b" cannot be read',
  },
  {
    title: "a getter that throws a revoked proxy",
    make: () => ({
      get a(): never {
        throw revoked();
      },
    }),
    says: 'at "a" cannot be read',
  },
  {
    title: "a revoked proxy",
    make: () => ({ a: revoked() }),
    says: 'at "a" cannot be read',
  },
  {
    title: "a proxy that throws on everything",
    make: () =>
      new Proxy({}, {
        getPrototypeOf() {
          throw undefined;
        },
      }),
    says: "cannot be read",
  },
  {
    title: "a proxy that makes up members without end",
    make: () => {
      const endless: object = new Proxy({}, {
        ownKeys: () => ["in"],
        getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true, value: 1 }),
        get: () => new Proxy(endless, {}),
      });
      return endless;
    },
    says: `at "${"in.".repeat(67).slice(0, 200)}..." is nested deeper than 200 levels`,
  },
];
