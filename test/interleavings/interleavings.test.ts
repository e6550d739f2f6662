import { after, before, describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { alone, endsOf, type Fares, meetings, resultsOf } from "./meetings.ts";
import { type Name, names } from "./operations.ts";
import { Meetings } from "./scene.ts";

const alike = names.filter((name) => name !== "opening");

function words({ waits, late, committed, rolledBack }: Fares): string {
  if (late) return "waits, and comes too late when that commits";
  if (waits) return committed ? "waits, and finds what that has committed" : "waits, and goes on";
  return committed && rolledBack ? "waits for nothing and takes what is left" : "waits for nothing";
}

let scene: Meetings;
before(async () => {
  scene = await Meetings.open();
});
after(() => scene[Symbol.asyncDispose]());

for (const first of names) {
  describe(`beside an open ${first}`, () => {
    for (const second of first === "opening" ? ["opening"] as const : alike) {
      const fares = meetings[first][second] ?? { waits: false };
      it(`a ${second} ${words(fares)}`, async () => {
        for (const how of ["commit", "rollback"] as const) {
          assertEquals(
            await scene.meet(first, second, how),
            expected(first, second, how, fares),
            how,
          );
        }
      });
    }
  });
}

function expected(first: Name, second: Name, how: "commit" | "rollback", fares: Fares) {
  const answer = how === "commit" ? fares.committed : fares.rolledBack;
  return {
    waited: fares.waits,
    first: alone[first],
    second: answer ?? alone[second],
    results: resultsOf(first, second, how),
    opened: second === "opening" ? 1 : 0,
    ends: endsOf(first, second, how),
  };
}
