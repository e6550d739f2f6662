/** What a tool has found or a person has said, and what the round has cost. */
export interface Round {
  readonly from: "tool" | "person";
  readonly text: string;
  readonly cost: number;
}

/** What a model wants next. */
export type Wish =
  | { readonly kind: "answer"; readonly text: string }
  | { readonly kind: "call"; readonly tool: string; readonly argument: string }
  | { readonly kind: "question"; readonly text: string };

/**
 * Stands in for a language model: it decides by the question and by what the rounds have brought.
 * One that is not local gets the idempotency key of its step.
 */
export function complete(question: string, rounds: readonly Round[]): Wish {
  const last = rounds.at(-1);
  if (question.startsWith("Compare")) {
    return { kind: "call", tool: "search", argument: `offer ${rounds.length + 1}` };
  }
  if (last === undefined) return { kind: "call", tool: "search", argument: question };
  if (question.startsWith("Book") && last.from === "tool") {
    return { kind: "question", text: `${last.text}. Which of them?` };
  }
  return { kind: "answer", text: last.text };
}

/** The tools, by name. A real one may fail, and is then tried again. */
export const tools: Readonly<Record<string, (argument: string) => string>> = {
  search: (argument) => `two results for "${argument}"`,
};
