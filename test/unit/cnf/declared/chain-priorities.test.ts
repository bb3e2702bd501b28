import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chainPriorities } from '../../../../src/cnf/declared/chain-priorities.js';

const most = 65_535;

describe('the priorities of a declared chain', () => {
  it('of new members leave room between them', () => {
    expect(chainPriorities([])).toEqual([]);
    expect(chainPriorities([undefined])).toEqual([10]);
    expect(chainPriorities([undefined, undefined, undefined])).toEqual([10, 20, 30]);
  });

  it('stay where members stand in the right order', () => {
    expect(chainPriorities([10, 20, 30])).toEqual([10, 20, 30]);
    expect(chainPriorities([1, 2, most])).toEqual([1, 2, most]);
  });

  it('put new members in front, between and behind', () => {
    expect(chainPriorities([undefined, 10, 20])).toEqual([5, 10, 20]);
    expect(chainPriorities([10, undefined, 20])).toEqual([10, 15, 20]);
    expect(chainPriorities([10, undefined, undefined, 20])).toEqual([10, 13, 16, 20]);
    expect(chainPriorities([10, 20, undefined])).toEqual([10, 20, 30]);
  });

  it('move the fewest members', () => {
    expect(chainPriorities([30, 10, 20])).toEqual([5, 10, 20]);
    expect(chainPriorities([20, 30, 10])).toEqual([20, 30, 40]);
    expect(chainPriorities([30, 20, 10])).toHaveLength(3);
  });

  it('move no more members than have to make room', () => {
    expect(chainPriorities([10, undefined, 11])).toEqual([10, 20, 30]);
    expect(chainPriorities([10, undefined, 11, 40])).toEqual([10, 20, 30, 40]);
    expect(chainPriorities([5, 10, undefined, 11, 12, 40])).toEqual([5, 7, 9, 11, 12, 40]);
    expect(chainPriorities([undefined, 1])).toEqual([10, 20]);
  });

  it('stay in range behind the last one', () => {
    expect(chainPriorities([most, undefined])).toEqual([10, 20]);
    expect(chainPriorities([65_530, undefined])).toEqual([65_530, 65_533]);
  });

  it('are as many as members, rising, in range, and take as few moves as can be', () => {
    const priority = fc.oneof(
      fc.integer({ min: 1, max: 120 }),
      fc.integer({ min: 1, max: most }),
      fc.integer({ min: most - 20, max: most }),
      // What is in libxdp's range alone, or nothing that anybody gives.
      fc.constantFrom(0, -1, most + 1, 2 ** 31 - 1),
    );
    const members = fc.array(fc.option(priority, { nil: undefined, freq: 4 }), { maxLength: 10 });
    fc.assert(
      fc.property(members, (present) => {
        const wanted = chainPriorities(present);
        expect(wanted).toHaveLength(present.length);
        for (const [index, each] of wanted.entries()) {
          expect(Number.isInteger(each)).toBe(true);
          expect(each).toBeGreaterThanOrEqual(1);
          expect(each).toBeLessThanOrEqual(most);
          if (index > 0) expect(each).toBeGreaterThan(wanted[index - 1] ?? 0);
        }
        const stay = wanted.filter((each, index) => each === present[index]).length;
        expect(stay).toBeGreaterThanOrEqual(mostThatCanStay(present));
        // Twice the same is nothing to do.
        expect(chainPriorities(wanted)).toEqual(wanted);
      }),
      { numRuns: 1000 },
    );
  });
});

/** Tries every choice of members that stay: those between them need room. */
function mostThatCanStay(present: readonly (number | undefined)[]): number {
  let best = 0;
  for (let choice = 0; choice < 2 ** present.length; choice++) {
    let fits = true;
    let stay = 0;
    let last = 0;
    let moved = 0;
    present.forEach((value, index) => {
      if ((choice & (1 << index)) === 0) {
        moved++;
        return;
      }
      if (value === undefined || value < 1 || value > most || value - last <= moved) fits = false;
      last = value ?? last;
      moved = 0;
      stay++;
    });
    if (last + moved > most) fits = false;
    if (fits && stay > best) best = stay;
  }
  return best;
}
