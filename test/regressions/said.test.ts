import { assertEquals } from "@std/assert";
import { choice, done, step, type, workflow } from "../../mod.ts";
import { eventually, everywhere } from "../everywhere.ts";

const failing = step("failing", {
  events: { ok: type() },
  retry: { attempts: 12, backoff: "constant", base: "1ms" },
  run({ attempt }) {
    throw new Error(`attempt ${attempt}`);
  },
});
const before = step("before", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const torn = choice("torn", {
  events: { ok: type() },
  decide() {
    throw new Error("It cannot decide");
  },
});
const once = step("once", {
  events: { ok: type() },
  retry: { attempts: 2, backoff: "constant", base: "1ms" },
  run({ attempt, emit }) {
    if (attempt === 1) throw new Error("attempt 1");
    return emit.ok();
  },
});
const remote = step("remote", {
  async: true,
  events: { ok: type() },
  retry: { attempts: 3, backoff: "constant", base: "1ms" },
  run({ attempt }) {
    throw new Error(`attempt ${attempt}`);
  },
});
const id = { key: "id", input: type() } as const;
const exhausted = workflow("exhausted", { ...id, start: failing }).on(failing, { ok: done })
  .build();
const undecided = workflow("undecided", { ...id, start: before })
  .on(before, { ok: torn }).on(torn, { ok: done }).build();
const atOnce = workflow("atOnce", { ...id, start: torn }).on(torn, { ok: done }).build();
const mended = workflow("mended", { ...id, start: once }).on(once, { ok: done }).build();
const unreached = workflow("unreached", { ...id, start: remote }).on(remote, { ok: done }).build();
const workflows = [exhausted, undecided, atOnce, mended, unreached];

interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: {
    readonly workflow?: string;
    readonly key?: string;
    readonly step?: string;
    readonly attempt?: number;
    readonly attempts?: number;
    readonly error?: { readonly message: string };
  };
}

everywhere("the log", (it) => {
  it("tells each failed attempt, and once that an instance has failed", { workflows }, async ({
    another,
  }) => {
    const lines: Line[] = [];
    const at = (level: string) => (message: string, fields: object = {}) =>
      void lines.push({ level, message, fields });
    const logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
    const hephaestus = another({ logger });
    await hephaestus.work({ poll: "50ms" }).ready;
    const told = async (of: typeof workflows[number]) => {
      const { status } = await (await hephaestus.start(of, "one", undefined)).result();
      const about = () => lines.filter(({ fields }) => fields.workflow === of.name);
      // Somebody else may have seen the end before the process that wrote it has its answer.
      const failed = () => about().some(({ level }) => level === "error");
      await eventually(() => status === "completed" || failed(), "its end is told");
      return about().map(({ level, fields }) => {
        const { key, step, attempt, attempts, error } = fields;
        return [level, key, step, attempt, attempts, error?.message];
      });
    };

    assertEquals(await told(exhausted), [
      ...Array.from(
        { length: 11 },
        (_, n) => ["debug", "id::one", "failing", n + 1, 12, `attempt ${n + 1}`],
      ),
      ["error", "id::one", "failing", undefined, 12, "attempt 12"],
    ]);
    for (const flow of [undecided, atOnce]) {
      assertEquals(await told(flow), [
        ["error", "id::one", "torn", undefined, 1, "It cannot decide"],
      ]);
    }
    assertEquals(await told(mended), [["debug", "id::one", "once", 1, 2, "attempt 1"]]);
    const [{ message }] = lines.filter(({ level }) => level === "error") as [Line];
    assertEquals(
      message,
      'Workflow "exhausted" "id::one" failed: step "failing" failed in all 12 attempts',
    );
    const [entry] = await hephaestus.history(exhausted, "one");
    assertEquals([entry?.attempts, entry?.errors.length, entry?.errors[1]?.omitted], [12, 10, 2]);
  });

  it("tells of an asynchronous step that is given up as of any other", { workflows }, async ({
    another,
  }) => {
    const lines: Line[] = [];
    const nothing = () => {};
    const error = (message: string, fields: object = {}) =>
      void lines.push({ level: "error", message, fields });
    const hephaestus = another({
      logger: { debug: nothing, info: nothing, warn: nothing, error },
    });
    const discarded: (string | undefined)[] = [];
    hephaestus.on("job:discard", ({ step, error }) => {
      discarded.push(`${step} ${error.message}`);
    });
    await hephaestus.work({ poll: "50ms" }).ready;

    const end = await (await hephaestus.start(unreached, "one", undefined)).result();

    assertEquals([end.status, end.error?.message], ["failed", "attempt 3"]);
    await eventually(() => lines.length > 0, "its end is told");
    assertEquals(lines.map(({ fields }) => [fields.step, fields.attempts]), [["remote", 3]]);
    assertEquals(discarded, ["remote attempt 3"]);
  });
});
