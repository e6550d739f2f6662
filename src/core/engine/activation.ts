/** One execution of a step within an instance. If the step runs again, the number is different. */
export interface Activation {
  readonly step: string;
  readonly activation: number;
}

/** The number of every step's first activation. */
export const firstActivation = 1;

/** Of a scheduled delivery to a step in a loop, in its job: the activation it meets when due. */
export const anyActivation = 0;

/** The activation as text: `"charge"`, or `"charge#2"` when it is not the first. */
export function activationKey({ step, activation }: Activation): string {
  return activation === firstActivation ? step : `${step}#${activation}`;
}

/** The step name in an {@linkcode activationKey}. Names cannot contain `#`. */
export function stepOf(key: string): string {
  const end = key.indexOf("#");
  return end < 0 ? key : key.slice(0, end);
}

/** Parses an {@linkcode activationKey}. */
export function activationBy(key: string): Activation {
  const step = stepOf(key);
  const activation = key === step ? firstActivation : Number(key.slice(step.length + 1));
  return { step, activation };
}

const undoMark = "~";

/**
 * The name under which a step is undone. Names of steps cannot contain `~`. An undo that has failed
 * `before` and is retried by hand has one mark more for each time.
 */
export function undoOf(step: string, before = 0): string {
  return undoMark.repeat(before + 1) + step;
}

/** Whether a name is that of the undo of a step. */
export function isUndo(name: string): boolean {
  return name.startsWith(undoMark);
}

/** The step that an undo is for. */
export function undoneStep(name: string): string {
  return name.slice(name.lastIndexOf(undoMark) + 1);
}
