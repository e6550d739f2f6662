import { again, done, each, FatalError, signal, step, type, workflow } from "../../mod.ts";
import { type Missing, readPage, TooDarkError } from "./reader.ts";

/** A document that was scanned. */
export interface Scanned {
  readonly name: string;
  readonly pages: number;
}

/** How the reading of a page has ended. */
type Ended =
  | { readonly event: "read"; readonly output: { readonly page: number; readonly text: string } }
  | { readonly event: "failed" };

/** Which pages a round reads: all of them in the first one, and then those that were scanned again. */
const choose = step("choose", {
  input: type<Scanned>(),
  rounds: type<Missing>(),
  events: { chosen: type<Missing>() },
  run({ input, rounds, emit }) {
    const all = Array.from({ length: input.pages }, (_, page) => page);
    return emit.chosen(rounds.at(-1) ?? { pages: all });
  },
});

const read = each("read", {
  input: type<Scanned>(),
  needs: [choose.when("chosen")],
  over: ({ steps }) => steps.choose.pages,
  limit: 2,
  onFailure: "continue",
  retry: { attempts: 3, base: "1s" },
  events: { read: type<{ page: number; text: string }>() },
  async run({ input, item, emit }) {
    try {
      return emit.read({ page: item, text: await readPage(input.name, item) });
    } catch (error) {
      if (error instanceof TooDarkError) throw new FatalError(error.message);
      throw error;
    }
  },
});

const check = step("check", {
  input: type<Scanned>(),
  needs: [read.when("finished")],
  sees: [read.every("finished")],
  events: { complete: type(), missing: type<Missing>() },
  run({ input, seen, emit }) {
    const pages = textsOf(input, seen.read).flatMap((text, page) => text === "" ? [page] : []);
    return pages.length === 0 ? emit.complete() : emit.missing({ pages });
  },
});

/** What a person says who has scanned missing pages again, or cannot. */
export const person = signal("person", {
  needs: [check.when("missing")],
  events: { scanned: type<Missing>(), givenUp: type() },
  expires: "7d",
});

const bind = step("bind", {
  input: type<Scanned>(),
  sees: [read.every("finished")],
  events: { whole: type<string[]>(), partial: type<string[]>() },
  run({ input, seen, emit }) {
    const texts = textsOf(input, seen.read);
    return texts.includes("") ? emit.partial(texts) : emit.whole(texts);
  },
});

/** The texts that all rounds have read. A page that nobody has read is empty. */
function textsOf({ pages }: Scanned, rounds: readonly (readonly Ended[])[]): string[] {
  const texts = Array<string>(pages).fill("");
  for (const ended of rounds.flat()) {
    if (ended.event === "read") texts[ended.output.page] = ended.output.text;
  }
  return texts;
}

/** A document that is read page by page, and bound with or without the pages that nobody can read. */
export const documents = workflow("documents", {
  key: "document",
  input: type<Scanned>(),
  start: choose,
})
  .on(choose, { chosen: read })
  .on(read, { finished: check })
  .on(check, { complete: bind, missing: person })
  .on(person, {
    scanned: again(choose, { limit: 5, then: bind }),
    givenUp: bind,
    expired: bind,
  })
  .on(bind, { whole: done, partial: done })
  .returns({ whole: bind.when("whole"), partial: bind.when("partial") })
  .build();
