/** A name in a mapping, or an index in a list. */
export type Step = string | number;

/** `spec.attach[0].priority`; names that are no words stand in brackets and quotes. */
export function pathText(path: readonly Step[]): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      if (!/^[\w-]+$/.test(step)) return `[${JSON.stringify(step)}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join('');
}
