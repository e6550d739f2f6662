// Starts so many instances of 100 kB and works on all of them: node large.ts <url> <instances>
import process from "node:process";
import { done, Hephaestus, step, type, workflow } from "../../mod.ts";

const [url = "", count = ""] = process.argv.slice(2);

interface Large {
  readonly rows: readonly { readonly id: number; readonly text: string }[];
}
const read = step("read", {
  input: type<Large>(),
  events: { ok: type<{ readonly rows: number; readonly text: string }>() },
  run: ({ input, emit }) => emit.ok({ rows: input.rows.length, text: "y".repeat(10_000) }),
});
const write = step("write", {
  needs: [read.when("ok")],
  events: { ok: type() },
  run: ({ steps, emit }) => {
    if (steps.read.rows !== 100) throw new Error("The input is not what it was");
    return emit.ok();
  },
});
const large = workflow("large", { key: "id", input: type<Large>(), start: read })
  .on(read, { ok: write })
  .on(write, { ok: done })
  .build();

const hephaestus = new Hephaestus({ url, workflows: [large] });
let completed = 0;
const all = new Promise<void>((resolve) => {
  hephaestus.on("workflow:stop", () => {
    if (++completed === Number(count)) resolve();
  });
});
// Most of them wait for a claim: they are started before anybody works.
let next = 0;
const start = async () => {
  while (next < Number(count)) {
    const id = next++;
    const rows = Array.from(
      { length: 100 },
      (_, row) => ({ id: row, text: `${id} `.repeat(200).slice(0, 980) }),
    );
    await hephaestus.start(large, `${id}`, { rows });
  }
};
const starting = Promise.all(Array.from({ length: 8 }, start));
const worker = hephaestus.work();
await starting;
await all;
await worker.stop();
await hephaestus.close();
