import { describe, it } from "node:test";
import { runInNewContext } from "node:vm";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { isPromise, settled } from "../../../src/core/value/promise.ts";

type Settle = (value: unknown) => void;

const thenables: { readonly [title: string]: object } = {
  "of another realm": runInNewContext("Promise.resolve(1)"),
  "that is a function": Object.assign(() => {}, { then: (done: Settle) => done(1) }),
  "that calls back twice": {
    then(done: Settle, fail: Settle) {
      done(1);
      fail(new Error("too late"));
      done(2);
    },
  },
  "that throws after it has called back": {
    then(done: Settle) {
      done(1);
      throw new Error("too late");
    },
  },
  "that resolves with a promise": { then: (done: Settle) => done(Promise.resolve(1)) },
  "that resolves with a thenable": {
    then: (done: Settle) => done({ then: (done: Settle) => done(1) }),
  },
  "of a class": new class {
    readonly #value = 1;
    then(done: Settle) {
      done(this.#value);
    }
  }(),
};

const failing: { readonly [title: string]: object } = {
  "whose then cannot be read": {
    get then() {
      throw new Error("no");
    },
  },
  "whose then throws": {
    then() {
      throw new Error("no");
    },
  },
  "that rejects": { then: (_: Settle, fail: Settle) => fail(new Error("no")) },
  "that resolves with one whose then cannot be read": {
    then: (done: Settle) =>
      done({
        get then() {
          throw new Error("no");
        },
      }),
  },
};

describe("settled()", () => {
  for (const [title, thenable] of Object.entries(thenables)) {
    it(`waits for a thenable ${title}`, async () => {
      assert(isPromise(thenable));
      assertEquals(await settled(thenable) as unknown, 1);
    });
  }

  for (const [title, thenable] of Object.entries(failing)) {
    it(`rejects for a thenable ${title}`, async () => {
      assert(isPromise(thenable));
      await assertRejects(() => settled(thenable), Error, "no");
    });
  }

  it("gives a thenable up that resolves with itself, or with others for ever", async () => {
    const itself = { then: (done: Settle): void => done(itself) };
    const another = (): object => ({ then: (done: Settle) => done(another()) });

    await assertRejects(() => settled(itself), TypeError, "resolving to another thenable");
    await assertRejects(() => settled(another()), TypeError, "resolving to another thenable");
  });

  it("leaves values alone that are none", () => {
    const none: readonly unknown[] = [
      undefined,
      null,
      1,
      "then",
      {},
      [],
      { then: 1 },
      () => {},
      Object.create(null),
    ];
    assert(!none.some((value) => isPromise(value)));
  });
});
