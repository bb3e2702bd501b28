/** Numbers for people: three digits that count, and one unit for all numbers that are compared with one another. */

/** What a number is multiplied by, and the unit that it then has. */
export interface Scale {
  readonly factor: number;
  /** Empty for a bare number. */
  readonly unit: string;
}

/** From the greatest down: the first that the greatest value reaches. */
type Steps = readonly (readonly [from: number, factor: number, unit: string])[];

const times: readonly (readonly [seconds: number, unit: string])[] = [
  [60, 'min'],
  [1, 's'],
  [1e-3, 'ms'],
  [1e-6, 'µs'],
  [1e-9, 'ns'],
];

function stepsOf(unit: string): Steps {
  const inSeconds = new Map([
    ['ns', 1e-9],
    ['us', 1e-6],
    ['µs', 1e-6],
    ['ms', 1e-3],
    ['s', 1],
  ]).get(unit);
  if (inSeconds !== undefined) {
    return times.map(([size, name], index) => [
      // Two minutes are better said in seconds.
      index === 0 ? 600 / inSeconds : size / inSeconds,
      inSeconds / size,
      name,
    ]);
  }
  switch (unit) {
    case 'share':
      return [[0, 100, '%']];
    case 'bytes':
      return [
        [2 ** 30, 2 ** -30, 'GiB'],
        [2 ** 20, 2 ** -20, 'MiB'],
        [2 ** 10, 2 ** -10, 'KiB'],
        [0, 1, 'bytes'],
      ];
    default:
      return [
        [1e12, 1e-12, joined('T', unit)],
        [1e9, 1e-9, joined('G', unit)],
        [1e6, 1e-6, joined('M', unit)],
        [1e3, 1e-3, joined('k', unit)],
        [0, 1, unit],
      ];
  }
}

function joined(...words: string[]): string {
  return words.filter((word) => word !== '').join(' ');
}

/** The scale in which all of `values`, which have this unit, are shown side by side. */
export function scaleFor(unit: string, values: Iterable<number>): Scale {
  let greatest = 0;
  for (const value of values) if (Number.isFinite(value)) greatest = Math.max(greatest, Math.abs(value));
  const steps = stepsOf(unit);
  const found = steps.find(([from]) => greatest >= from) ?? steps.at(-1);
  // Nothing but zeros are zeros of the unit itself.
  if (found === undefined || (greatest === 0 && unit !== 'share')) return { factor: 1, unit };
  return { factor: found[1], unit: found[2] };
}

/** Three digits that count: `5.21`, `52.1`, `521`, `5,210`. */
export function numberText(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e15 || size < 1e-4) return value.toExponential(2).replace('-', '−');
  const digits =
    size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 2 - Math.floor(Math.log10(size));
  const [whole = '', rest] = size.toFixed(digits).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return `${value < 0 ? '−' : ''}${grouped}${rest === undefined ? '' : `.${rest}`}`;
}

/** A whole number with its thousands apart. */
export function countText(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** As {@link scaleFor}, for values of which the largest say too little of the others, as on a logarithmic axis. */
export function middleScale(unit: string, values: readonly number[]): Scale {
  const sorted = values.filter((value) => value > 0).sort((one, other) => one - other);
  return scaleFor(unit, sorted.slice(0, Math.ceil(sorted.length / 2)));
}

export function scaled(value: number, { factor }: Scale): string {
  return numberText(value * factor);
}

/** `2.35 ×`; with a digit more where it is near to 1. */
export function ratioText(ratio: number): string {
  return `${ratioNumber(ratio)} ×`;
}

export function ratioNumber(ratio: number): string {
  return ratio > 0.9 && ratio < 1.1 ? ratio.toFixed(3) : numberText(ratio);
}

/** `[5.18, 5.25]` */
export function intervalText([low, high]: readonly [number, number], say: (value: number) => string): string {
  return `[${say(low)}, ${say(high)}]`;
}

/** `99.9 %` or `p99.9` need all digits that a percentile has. */
export function percentileText(percentile: number): string {
  return String(Number(percentile.toFixed(6)));
}

/** `3 min 20 s` */
export function durationText(seconds: number): string {
  if (seconds < 60) return `${numberText(seconds)} s`;
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const parts = [
    hours > 0 ? `${hours} h` : '',
    minutes > 0 ? `${minutes} min` : '',
    rest > 0 ? `${rest} s` : '',
  ];
  return parts.filter((part) => part !== '').join(' ');
}

/** `1 sample`, `3 samples`, `no samples` */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return count === 1 ? `1 ${noun}` : `${count === 0 ? 'no' : countText(count)} ${plural}`;
}

/** `0, 2–5` for CPUs and blocks. */
export function rangesText(numbers: readonly number[]): string {
  const sorted = [...new Set(numbers)].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let at = 0; at < sorted.length; ) {
    const first = sorted[at] ?? 0;
    let last = first;
    for (at++; sorted[at] === last + 1; at++) last++;
    parts.push(first === last ? `${first}` : `${first}${last === first + 1 ? ', ' : '–'}${last}`);
  }
  return parts.join(', ');
}

/** One line: what would break a label or a heading is a space, and what turns the writing round is written out. */
export function oneLine(text: string): string {
  return text
    .replace(/[\s\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/[\u202a-\u202e\u2066-\u2069]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16)}`)
    .trim();
}
