/** Where axes end, and where they have ticks. */

/** A round number at or above `value`, not much above it. */
export function roundUp(value: number): number {
  if (!(value > 0) || !Number.isFinite(value)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const part = value / power;
  const found = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((step) => part <= step + 1e-9) ?? 10;
  return Number((found * power).toPrecision(6));
}

/** Some five round numbers between two. */
export function linearTicks(from: number, to: number, most = 6): number[] {
  const raw = (to - from) / most;
  if (!(raw > 0)) return [from];
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 2.5, 5, 10].find((factor) => raw / power <= factor) ?? 10) * power;
  const ticks: number[] = [];
  for (let index = Math.ceil(from / step - 1e-9); index * step <= to + step * 1e-9; index++)
    ticks.push(Number((index * step).toPrecision(10)));
  return ticks;
}

/** Round numbers on a logarithmic axis: powers of ten, with 2 and 5 between them where these are few. */
export function logTicks(from: number, to: number, most = 7): number[] {
  const powers = (factors: readonly number[], every = 1): number[] => {
    const ticks: number[] = [];
    for (let power = Math.floor(Math.log10(from)); 10 ** power <= to; power++) {
      if (power % every !== 0) continue;
      for (const factor of factors) {
        const tick = Number((factor * 10 ** power).toPrecision(6));
        if (tick >= from * (1 - 1e-9) && tick <= to * (1 + 1e-9)) ticks.push(tick);
      }
    }
    return ticks;
  };
  if (to / from < 2.5) return linearTicks(from, to, most);
  const choices = [powers([1, 1.5, 2, 3, 4, 5, 7]), powers([1, 2, 5]), powers([1, 3]), powers([1])];
  for (let every = 2; every < 6; every++) choices.push(powers([1], every));
  return choices.find((ticks) => ticks.length <= most && ticks.length >= 2) ?? linearTicks(from, to, most);
}

/** `text` in at most so many pixels. */
export function fitted(text: string, pixels: number, fontSize = 13): string {
  if (widthOf(text, fontSize) <= pixels) return text;
  const letters = [...text];
  while (letters.length > 1 && widthOf(`${letters.join('')}…`, fontSize) > pixels) letters.pop();
  return `${letters.join('').trimEnd()}…`;
}

/** Pixels, as wide as letters of a page usually are. */
export function widthOf(text: string, fontSize = 13): number {
  let width = 0;
  for (const letter of text) {
    if (letter > '\u2e7f') width += 1;
    else if (/[ilj.,:;'|!()[\]]/.test(letter)) width += 0.34;
    else if (/[mwMW@%]/.test(letter)) width += 0.9;
    else width += /[A-Z]/.test(letter) ? 0.69 : 0.58;
  }
  return width * fontSize;
}

export function least(values: readonly number[]): number {
  return values.reduce((found, value) => Math.min(found, value), Number.POSITIVE_INFINITY);
}

export function greatest(values: readonly number[]): number {
  return values.reduce((found, value) => Math.max(found, value), Number.NEGATIVE_INFINITY);
}

const prefixes = [
  [1e9, 1e9, 'G'],
  [1e6, 1e6, 'M'],
  [1e4, 1e3, 'k'],
] as const;

/** As short as it can be said: `0.5`, `20`, `1,000`, `10 k`. */
export function tickText(value: number): string {
  const rounded = Number(value.toPrecision(6));
  const size = Math.abs(rounded);
  if (size >= 1e15 || (size < 1e-4 && size > 0))
    return rounded.toExponential().replace('e+', 'e').replace('-', '−');
  const prefix = prefixes.find(([from]) => size >= from);
  if (prefix !== undefined) return `${tickText(rounded / prefix[1])} ${prefix[2]}`;
  const [whole = '', rest] = String(size).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return `${rounded < 0 ? '−' : ''}${grouped}${rest === undefined ? '' : `.${rest}`}`;
}
