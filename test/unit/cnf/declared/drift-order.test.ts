import { describe, expect, it } from 'vitest';
import { isOutOfPlace, type Standing } from '../../../../src/cnf/declared/drift-order.js';
import { isInOrder } from '../../../../src/cnf/declared/status-chain.js';

function standing(place: number, given: Partial<Standing> = {}): Standing {
  return { function: `f${place}`, program: 'p', priority: 50, asked: null, place, ...given };
}

describe('a link among the programs on its hook', () => {
  it('is in its place when those of lower priority stand before it', () => {
    const others = [standing(1, { priority: 10 }), standing(3, { priority: 90 })];
    expect(isOutOfPlace(standing(2), others, 3)).toBe(false);
    expect(isOutOfPlace(standing(2, { priority: 95 }), others, 3)).toBe(true);
    expect(isOutOfPlace(standing(2, { priority: 5 }), others, 3)).toBe(true);
  });

  it('does not hold against others that they were asked for another place', () => {
    expect(isOutOfPlace(standing(2), [standing(1, { priority: 90, asked: 'first' })], 2)).toBe(false);
  });

  it('is not first any more when a program of somebody else is before it, unlike one of netkit', () => {
    const first = standing(2, { asked: 'first' });
    expect(isOutOfPlace(first, [], 2)).toBe(true);
    expect(isOutOfPlace(first, [standing(1)], 2)).toBe(false);
    expect(isOutOfPlace({ ...first, place: 1 }, [], 2)).toBe(false);
  });

  it('is not last any more when a program of somebody else is behind it, unlike one of netkit', () => {
    const last = standing(1, { asked: 'last' });
    expect(isOutOfPlace(last, [], 2)).toBe(true);
    expect(isOutOfPlace(last, [standing(2)], 2)).toBe(false);
    expect(isOutOfPlace({ ...last, place: 2 }, [], 2)).toBe(false);
  });

  it('is out of place on the wrong side of the program that it was put next to', () => {
    const other = standing(2);
    expect(isOutOfPlace(standing(3, { asked: { before: 'f2' } }), [other], 3)).toBe(true);
    expect(isOutOfPlace(standing(1, { asked: { before: 'f2/p' } }), [other], 3)).toBe(false);
    expect(isOutOfPlace(standing(1, { asked: { after: 'f2/p' } }), [other], 3)).toBe(true);
    expect(isOutOfPlace(standing(3, { asked: { after: 'f2/q' } }), [other], 3)).toBe(false);
  });
});

describe('the members of a chain', () => {
  const member = (place: number | undefined, alive = true) => ({ place, alive });

  it('are in order when their places rise, whoever is between them', () => {
    expect(isInOrder([member(1), member(3), member(4)])).toBe(true);
    expect(isInOrder([member(2), member(1)])).toBe(false);
  });

  it('are not in order when one is not attached', () => {
    expect(isInOrder([member(1), member(undefined, false)])).toBe(false);
  });

  it('are in an unknown order when a place is not to be seen, unless there is one alone', () => {
    expect(isInOrder([member(1), member(undefined)])).toBeUndefined();
    expect(isInOrder([member(undefined)])).toBe(true);
  });
});
