/** Options that give values to names. */
import { NetkitError } from '../base/errors.js';

/** `NAME=TEXT` options as a record; what stands after the first `=` is left as it is. @throws NetkitError `usage` */
export function assignments(texts: readonly string[], option: string, form: string): Record<string, string> {
  // Without a prototype: a variable may be called __proto__.
  const all: Record<string, string> = Object.create(null);
  for (const text of texts) {
    const at = text.indexOf('=');
    if (at <= 0) throw new NetkitError('usage', `${option} '${text}' is not ${form}`);
    all[text.slice(0, at)] = text.slice(at + 1);
  }
  return all;
}

/** Sizes of maps, `MAP=N`. @throws NetkitError `usage`, `bad-value` */
export function sizes(texts: readonly string[]): Record<string, number> {
  const given = Object.entries(assignments(texts, '--map-size', 'MAP=N'));
  return Object.fromEntries(
    given.map(([map, text]) => {
      if (!/^[1-9]\d*$/.test(text))
        throw new NetkitError(
          'bad-value',
          `the size of map '${map}' is not a whole number above 0: '${text}'`,
        );
      return [map, Number(text)];
    }),
  );
}
