import type { CommandEntry } from './types.js';

const report = <const Name extends string>(name: Name, about: string) =>
  ({
    name,
    kind: 'file',
    required: true,
    about: `${about}, as \`--report FILE.json\` wrote it, or its \`.html\`.`,
  }) as const;

/** Comparing what was measured with what was measured before. */
export const benchCompare = {
  name: 'bench compare',
  summary: 'compare a benchmark with an earlier run',
  about: [
    'Compares two reports of the same scenario, figure by figure. What is compared is the ratio of each variant to the reference of its own run, so that a machine which is slower today changes nothing. The reference itself is compared with all others, when there are three or more.',
    'A figure counts as slower or faster when the 99 % interval of the change lies wholly outside of the noise: that of both controls together, and at least 5 %, since the same program loaded again lies elsewhere in memory, which alone makes a few per cent.',
    'What else differs, such as scenario, kernel, CPU or a run that was interrupted, is said as a warning, as is what only one of them has.',
  ],
  arguments: [report('old', 'The earlier run'), report('new', 'The later run')],
  options: [
    {
      long: 'least',
      value: { name: 'PERCENT', kind: 'count', min: 0, max: 1000 },
      default: 5,
      about: 'Take smaller changes for noise, whatever the controls say.',
    },
    {
      long: 'values',
      about:
        'Compare the values themselves, not the ratios to the reference: for a machine on which nothing else runs.',
    },
  ],
  exits: [
    { status: 0, about: 'Nothing became slower beyond noise.' },
    {
      status: 1,
      about:
        'A file is no report of a benchmark, the two have nothing in common, or no figure has enough samples.',
    },
    { status: 8, about: 'Something became slower.' },
  ],
  examples: [
    { command: 'netkit bench compare main.json branch.json', about: 'In CI: fails on a regression.' },
    {
      command: 'netkit bench compare main.json branch.json --least 10 --json',
      about: 'Changes below 10 % do not count; for a script.',
    },
  ],
} as const satisfies CommandEntry;
