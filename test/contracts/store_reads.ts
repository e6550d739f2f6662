import {
  activeIn,
  delivery,
  type It,
  newId,
  recorded,
  recording,
  type Scene,
  turn,
} from "./world.ts";
import { describe } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import type { Filter, Place } from "../../src/backend/store.ts";

export function reads(it: It): void {
  describe("list()", () => {
    it("gives the newest first, in pages", async (scene) => {
      const ids: string[] = [];
      for (let count = 0; count < 5; count++) ids.unshift(await scene.open());

      assertEquals(await pages(scene, 2), [ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)]);
      assertEquals(await pages(scene, 5), [ids]);
    });

    it("gives the one first that was started last, whatever the clocks say that made the ids", async (scene) => {
      const late = "ffffffff-ffff-7fff-bfff-ffffffffffff";
      const early = "00000000-0000-7000-8000-000000000000";
      await scene.open({ id: late });
      await scene.elapse(5);
      await scene.open({ id: early });

      assertEquals(await pages(scene, 1), [[early], [late]]);
      assertEquals((await scene.store.list({ limit: 1 })).map(({ id }) => id), [early]);
    });

    it("gives those of one moment by id, page by page", async (scene) => {
      const ids = Array.from({ length: 4 }, () => newId()).sort().reverse();
      await scene.store.open(undefined, ids.map((id) => scene.instance({ id, uniqueKey: id })));

      assertEquals(await pages(scene, 3), [ids.slice(0, 3), ids.slice(3)]);
    });

    it("finds the active instance that has taken a unique key", async (scene) => {
      const uniqueKey = "workflow:order:orderid::a";
      await scene.open({ uniqueKey, status: "completed" });
      await scene.open({ uniqueKey: "version:order:1:orderid::a" });
      const find = async () =>
        (await scene.store.list({ uniqueKey, limit: 5 })).map(({ id }) => id);
      assertEquals(await find(), []);
      const id = await scene.open({ uniqueKey });
      assertEquals(await find(), [id]);
    });

    it("holds what meets every condition", async (scene) => {
      const ids = await sixInstances(scene);
      const listed = async (filter: Omit<Filter, "limit">) => {
        const page = await scene.store.list({ ...filter, limit: 10 });
        return page.map((one) => ids.indexOf(one.id)).sort();
      };

      assertEquals(await listed({}), [0, 1, 2, 3, 4, 5]);
      assertEquals(await listed({ ids: [ids[2]!] }), [2]);
      assertEquals(await listed({ ids: [newId()] }), []);
      assertEquals(await listed({ key: "orderid::b" }), [1, 2]);
      assertEquals(await listed({ workflow: "refund" }), [3]);
      assertEquals(await listed({ version: 2 }), [2, 4]);
      assertEquals(await listed({ statuses: ["waiting"] }), [1]);
      assertEquals(await listed({ statuses: ["waiting", "completed"] }), [1, 5]);
      assertEquals(await listed({ statuses: [] }), []);
      assertEquals(await listed({ tags: ["eu"] }), [0, 4]);
      assertEquals(await listed({ tags: ["vip", "eu"] }), [4]);
      assertEquals(await listed({ tags: [] }), [0, 1, 2, 3, 4, 5]);
      assertEquals(await listed({ key: "orderid::b", version: 2 }), [2]);
      assertEquals(await listed({ workflow: "refund", statuses: ["waiting"] }), []);
      assertEquals(await listed({ tags: ["eu"], metadata: { by: "maria" } }), [4]);
    });

    const held: readonly (readonly [string, Filter["metadata"], boolean])[] = [
      ["a member", { by: "maria" }, true],
      ["another value", { by: "mario" }, false],
      ["an unknown member", { from: "maria" }, false],
      ["nothing", {}, true],
      ["a part of an object", { at: { city: "Rome" } }, true],
      ["an empty object for an object", { at: {} }, true],
      ["an item of an array", { items: [2] }, true],
      ["items in another order, twice", { items: [3, 1, 1] }, true],
      ["an item that is not there", { items: [4] }, false],
      ["an item without its array", { items: 1 }, false],
      ["a part of an item", { rows: [{ b: 2 }] }, true],
      ["parts of two items as one", { rows: [{ a: 1, b: 2 }] }, false],
      ["null", { none: null }, true],
      ["null for what is missing", { missing: null }, false],
      ["a text for a number", { count: "1" }, false],
      ["a number written otherwise", { count: 1.0 }, true],
      ["an object for an array", { items: {} }, false],
    ];
    for (const [what, metadata, expected] of held) {
      it(`tells whether metadata contains ${what}`, async (scene) => {
        const stored = {
          by: "maria",
          at: { city: "Rome", zip: "00184" },
          items: [1, 2, 3],
          rows: [{ a: 1 }, { b: 2, c: 3 }],
          none: null,
          count: 1,
        };
        await scene.open({ metadata: JSON.stringify(stored) });

        assertEquals((await scene.store.list({ metadata, limit: 1 })).length === 1, expected);
      });
    }

    it("reads a hostile text as a text", async (scene) => {
      const text = `'; drop table "workflow_instances"; -- \\ {} %`;
      const id = await scene.open({ key: text, workflow: text, tags: [text] });

      const filters = [{ key: text }, { workflow: text }, { tags: [text] }];
      for (const filter of filters) {
        const page = await scene.store.list({ ...filter, limit: 1 });
        assertEquals(page.map((one) => one.id), [id]);
      }
    });
  });

  describe("history()", () => {
    it("is ordered by the revision that applied a result, the rest after it", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({}, { step: "late" });
      await scene.store.deliver(delivery(id, "approval"));
      await scene.store.record([recording(await scene.claimOne(process), process)]);
      const commit = (revision: number, part: Parameters<typeof turn>[1]) =>
        scene.store.commit(process, [turn(id, { revision, ...part })]);

      await commit(1, { recorded: [recorded("z"), recorded("a"), recorded("m")] });
      await commit(2, { recorded: [recorded("b")] });
      await commit(3, {
        processed: [{ step: "late", activation: 1, waits: false, causes: ["b"] }],
      });

      const history = await scene.store.history(id);
      assertEquals(
        history.map((entry) => [entry.step, entry.revision]),
        [["z", 2], ["a", 2], ["m", 2], ["b", 3], ["late", 4], ["approval", undefined]],
      );
    });

    it("is empty for an instance that is not there", async (scene) => {
      assertEquals(await scene.store.history(newId()), []);
    });
  });

  describe("ended()", () => {
    it("tells how steps ended, and what started them", async (scene) => {
      const process = await scene.register();
      const id = await scene.open();
      const results = [
        recorded("pack", { output: '{"boxes":1}' }),
        recorded("route", { event: "fast", causes: ["pack"] }),
        recorded("parcel", { waits: true, event: "__async__" }),
      ];
      await scene.store.commit(process, [turn(id, { recorded: results })]);

      const all = [
        { step: "pack", activation: 1, event: "ok", output: { boxes: 1 }, causes: [] },
        { step: "route", activation: 1, event: "fast", output: undefined, causes: ["pack"] },
      ];
      assertEquals(sorted(await scene.store.ended(id, undefined)), all);
      const some = [{ step: "route", activation: 1 }, { step: "pack", activation: 2 }];
      assertEquals(await scene.store.ended(id, some), [all[1]!]);
      assertEquals(await scene.store.ended(id, []), []);
    });

    it("knows nothing of results that no advance has applied", async (scene) => {
      const process = await scene.register();
      const id = await scene.open();
      await scene.store.deliver(delivery(id, "approval"));
      await scene.store.deliver(delivery(id, "late"));
      const processed = [{ step: "late", activation: 1, waits: false, causes: undefined }];
      await scene.store.commit(process, [turn(id, { processed })]);

      assertEquals(await scene.store.ended(id, undefined), []);
    });
  });

  describe("read()", () => {
    it("gives the instances that are there", async (scene) => {
      const ids = [await scene.open(), await scene.open()];

      const known = await scene.store.read([...ids, ids[0]!, newId()]);

      assertEquals(known.map((one) => one.id).sort(), [...ids].sort());
      assertEquals(await scene.store.read([]), []);
    });

    it("gives values that nobody can change", async (scene) => {
      const tags = ["eu"];
      const id = await scene.open({ tags, input: '{"items":[1]}', control: activeIn("pack") });
      tags.push("us");
      const first = await scene.known(id);
      assertThrows(() => (first.input as { items: number[] }).items.push(2), TypeError);
      assertThrows(() => (first.tags as string[]).push("asia"), TypeError);

      const second = await scene.known(id);

      assertEquals([second.input, second.tags], [{ items: [1] }, ["eu"]]);
    });

    it("gives every value back, its members in one order", async (scene) => {
      const input =
        '{"bb":1,"a":[null,true,1e21,-0.5,"\\u2028\\"\\\\"],"é":{"__proto__":2},"c":""}';
      const id = await scene.open({ input });

      const text = JSON.stringify((await scene.known(id)).input);

      assertEquals(
        text,
        '{"a":[null,true,1e+21,-0.5,"\u2028\\"\\\\"],"c":"","bb":1,"é":{}}',
      );
    });
  });

  describe("unprocessed()", () => {
    it("gives what no advance has read, of these instances", async (scene) => {
      const [one, two, three] = [await scene.open(), await scene.open(), await scene.open()];
      for (const id of [one, two, three]) await scene.store.deliver(delivery(id, "approval"));

      const rows = await scene.store.unprocessed([one, two]);

      assertEquals(rows.map((row) => row.instance).sort(), [one, two].sort());
      assertEquals(await scene.store.unprocessed([]), []);
    });
  });
}

function sorted<T extends { readonly step: string }>(rows: readonly T[]): readonly T[] {
  return [...rows].sort((a, b) => a.step < b.step ? -1 : 1);
}

async function sixInstances(scene: Scene): Promise<readonly string[]> {
  return [
    await scene.open({ key: "orderid::a", tags: ["eu"] }),
    await scene.open({ key: "orderid::b", status: "waiting", tags: ["vip"] }),
    await scene.open({ key: "orderid::b", version: 2, metadata: '{"by":"maria"}' }),
    await scene.open({ key: "orderid::c", workflow: "refund" }),
    await scene.open({ key: "d", version: 2, tags: ["eu", "vip"], metadata: '{"by":"maria"}' }),
    await scene.open({ key: "e", status: "completed" }),
  ];
}

/** The ids of all instances, page by page. */
async function pages(scene: Scene, limit: number): Promise<readonly (readonly string[])[]> {
  const ids: string[][] = [];
  let after: Place | undefined;
  do {
    const page = await scene.store.page({ limit }, after);
    ids.push(page.items.map(({ id }) => id));
    after = page.next;
  } while (after !== undefined);
  return ids;
}
