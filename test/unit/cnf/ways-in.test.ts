import { describe, expect, it } from 'vitest';
import { type ReasonAgainst, waysIn } from '../../../src/cnf/ways-in.js';

/** Programs by section, each named after it. */
const programs = (...sections: string[]) => sections.map((section) => ({ name: `in ${section}`, section }));

const refusing =
  (...hooks: string[]): ReasonAgainst =>
  (hook, place) =>
    hooks.includes(hook) ? `no ${hook} of ${place}` : undefined;

describe('two ways in to one function of the kernel', () => {
  it('takes the faster one where the kernel does', () => {
    const ways = waysIn(programs('fentry/open', 'kprobe/open', 'kretprobe/open', 'fexit/open'), refusing());
    expect(ways).toEqual([
      {
        place: 'open',
        taken: 'in fentry/open',
        left: 'in kprobe/open',
        text: "open is traced by fentry ('in fentry/open'): 'in kprobe/open' (kprobe) is not loaded",
      },
      expect.objectContaining({ taken: 'in fexit/open', left: 'in kretprobe/open' }),
    ]);
  });

  it('takes the other one where it does not, with the reason', () => {
    expect(waysIn(programs('kprobe/open', 'fentry.s/open'), refusing('fentry'))).toEqual([
      {
        place: 'open',
        taken: 'in kprobe/open',
        left: 'in fentry.s/open',
        text: "open is traced by kprobe ('in kprobe/open'), not by fentry ('in fentry.s/open'): no fentry of open",
      },
    ]);
  });

  it('has the reasons against both where neither is possible, and leaves none out', () => {
    const refused = waysIn(programs('kretprobe/open', 'fexit/open'), refusing('fexit', 'kretprobe'));
    expect(refused).toEqual([
      {
        place: 'open',
        taken: undefined,
        left: undefined,
        text: "neither way in to open is possible: 'in fexit/open' (fexit): no fexit of open; 'in kretprobe/open' (kretprobe): no kretprobe of open",
      },
    ]);
  });

  it.each([
    [['fentry/open', 'kprobe/close']],
    [['fentry/open', 'kretprobe/open']],
    [['fentry/open', 'kprobe/open', 'kprobe/open']],
    [['fentry', 'kprobe']],
    [['fmod_ret/open', 'kprobe/open']],
  ])('sees no such pair in %j', (sections) => {
    expect(waysIn(programs(...sections), refusing())).toEqual([]);
  });
});
