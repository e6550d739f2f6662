/** One running of a step: one that runs again does so under another activation. */
export interface Activation {
  readonly step: string;
  readonly activation: number;
}

/** The activation under which every step runs first. */
export const firstActivation = 1;

/** As text: `"charge"`, or `"charge#2"` under another activation than the first. */
export function activationKey({ step, activation }: Activation): string {
  return activation === firstActivation ? step : `${step}#${activation}`;
}

/** The step of an {@linkcode activationKey}: names have no `#`. */
export function stepOf(key: string): string {
  const end = key.indexOf("#");
  return end < 0 ? key : key.slice(0, end);
}

/** Reads an {@linkcode activationKey}. */
export function activationBy(key: string): Activation {
  const step = stepOf(key);
  const activation = key === step ? firstActivation : Number(key.slice(step.length + 1));
  return { step, activation };
}
