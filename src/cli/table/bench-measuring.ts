import type { OptionEntry } from './types.js';

/** Of every command that measures. */
export const measuringOptions = [
  {
    long: 'quick',
    conflicts: ['full', 'seconds'],
    about: 'Take one minute in all, instead of five.',
  },
  { long: 'full', conflicts: ['seconds'], about: 'Take half an hour: intervals get narrower.' },
  {
    long: 'seconds',
    value: { name: 'N', kind: 'seconds', min: 1, max: 86_400 },
    about: 'Take so long in all. Below 30 seconds there is seldom enough for a verdict.',
  },
  {
    long: 'seed',
    value: { name: 'N', kind: 'count', min: 0, max: 4_294_967_295 },
    about:
      'Draw the order of the variants from this number, which every report has; else a new one is taken.',
  },
  {
    long: 'report',
    value: { name: 'FILE', kind: 'file' },
    repeatable: true,
    about:
      'Write a report too: `.html` (one file that needs no network), `.json`, `.csv` or `.md`, by the ending of its name.',
  },
] as const satisfies readonly OptionEntry[];

/** Of every command that floods a receiver. */
export const trafficOptions = [
  {
    long: 'packet-size',
    value: { name: 'BYTES', kind: 'count', min: 64, max: 1514 },
    default: 64,
    about: 'Send packets of this size, from the Ethernet header on.',
  },
  {
    long: 'flows',
    value: { name: 'N', kind: 'count', min: 1, max: 60_000 },
    default: 1,
    about: 'Send from so many source ports in turn.',
  },
  {
    long: 'family',
    value: { name: 'FAMILY', kind: 'choice', choices: ['ipv4', 'ipv6'] },
    default: 'ipv4',
    about: 'Send packets of this family.',
  },
] as const satisfies readonly OptionEntry[];

/** Of every command that measures, beside those of its own. */
export const measuringExits = [
  { status: 4, about: 'It needs the rights to make network namespaces, programs and links: run it as root.' },
  { status: 130, about: 'Ctrl-C ended it: what was measured until then is shown and written all the same.' },
] as const;

/** Of those that make network namespaces and links. */
export const programMissing = {
  status: 3,
  about: 'A program that everything needs is missing, such as `ip`.',
} as const;

/** What every command that measures says of how it does that. */
export const method =
  'Each block measures every variant once, in an order drawn from a seed, with the reference twice: how far the second time differs is what the noise is. A ratio counts as faster or slower when its 99 % interval lies wholly outside of that. Verdicts and packets are checked before anything is timed. Reports have every sample, the environment and the exact commands.';
