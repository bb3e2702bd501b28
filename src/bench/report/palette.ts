/**
 * Colours, as CSS variables with a value for light and for dark. Hues are those of Okabe and Ito, which people with any
 * kind of colour blindness tell apart, darker or lighter where the ground needs it; and what a colour says is always
 * said by a shape, a dash or a word besides.
 */

const parts = ['c1', 'c2', 'c3', 'c4', 'c5', 'c6'] as const;
const series = ['s1', 's2', 's3', 's4', 's5', 's6', 's7', 's8'] as const;

interface Ground {
  readonly light: string;
  readonly dark: string;
}

/** All variables by name. */
export const colours: Readonly<Record<string, Ground>> = {
  page: { light: '#f6f7f9', dark: '#12151a' },
  card: { light: '#ffffff', dark: '#1a1e25' },
  ink: { light: '#1b2430', dark: '#e6e9ee' },
  soft: { light: '#566273', dark: '#a3adba' },
  rule: { light: '#dce1e8', dark: '#323945' },
  grid: { light: '#e8ebf0', dark: '#2a303a' },
  link: { light: '#0b5cad', dark: '#7dbcff' },
  bad: { light: '#b3261e', dark: '#ff8f85' },
  'bad-ground': { light: '#fdf0ee', dark: '#341c1b' },
  band: { light: '#dfe3e9', dark: '#343b47' },
  faster: { light: '#0072b2', dark: '#56b4e9' },
  slower: { light: '#c2560a', dark: '#f0963c' },
  even: { light: '#7b8794', dark: '#8f9bab' },
  s1: { light: '#0072b2', dark: '#56b4e9' },
  s2: { light: '#c2560a', dark: '#f0963c' },
  s3: { light: '#00805e', dark: '#2cc394' },
  s4: { light: '#a8487f', dark: '#e59ac6' },
  s5: { light: '#8a7400', dark: '#ecd24a' },
  s6: { light: '#2f9bd6', dark: '#9cc9ff' },
  s7: { light: '#4b5563', dark: '#c3cad4' },
  s8: { light: '#7a4a1e', dark: '#c9986b' },
  c1: { light: '#0a4f86', dark: '#8ecbff' },
  c2: { light: '#f0b04f', dark: '#b5671a' },
  c3: { light: '#5f7f00', dark: '#d5e48a' },
  c4: { light: '#e3c6dc', dark: '#7d4a72' },
  c5: { light: '#5b3a1e', dark: '#e8c9a8' },
  c6: { light: '#9db4c8', dark: '#4d6478' },
  'on-c1': { light: '#ffffff', dark: '#0c1a26' },
  'on-c2': { light: '#2b1a00', dark: '#ffffff' },
  'on-c3': { light: '#ffffff', dark: '#1c2200' },
  'on-c4': { light: '#33152c', dark: '#ffffff' },
  'on-c5': { light: '#ffffff', dark: '#2b1a0a' },
  'on-c6': { light: '#10202d', dark: '#ffffff' },
};

export type Colour = string & { readonly colour?: never };

export function colour(name: string): Colour {
  if (colours[name] === undefined) throw new Error(`there is no colour ${name}`);
  return `var(--${name})`;
}

/** How the curve number `index` looks: colour, dash and mark each tell it from its neighbours. */
export interface SeriesLook {
  readonly colour: Colour;
  /** Lengths of dashes and gaps; empty for a whole line. */
  readonly dash: readonly number[];
  readonly mark: MarkShape;
}

export type MarkShape = 'circle' | 'square' | 'triangle' | 'diamond' | 'down' | 'cross';

const dashes: readonly (readonly number[])[] = [[], [7, 3], [2, 3], [9, 3, 2, 3]];
const shapes: readonly MarkShape[] = ['circle', 'square', 'triangle', 'diamond', 'down', 'cross'];

export function lookOf(index: number): SeriesLook {
  return {
    colour: colour(series[index % series.length] ?? 's1'),
    dash: dashes[index % dashes.length] ?? [],
    mark: shapes[index % shapes.length] ?? 'circle',
  };
}

/** Of the part number `index` of a bar, and of words on it: neighbours differ in lightness, which everybody sees. */
export function partColours(index: number): { readonly fill: Colour; readonly text: Colour } {
  const name = parts[index % parts.length] ?? 'c1';
  return { fill: colour(name), text: colour(`on-${name}`) };
}

/** The variables as declarations of CSS. */
export function declarations(ground: keyof Ground): string {
  return Object.entries(colours)
    .map(([name, of]) => `--${name}:${of[ground]}`)
    .join(';');
}
