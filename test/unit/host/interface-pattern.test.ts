import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPattern, matchesPattern, patternProblem } from '../../../src/host/interface-pattern.js';

describe('a pattern of interfaces', () => {
  it.each([
    ['*', ['lo', 'eth0', 'a'], []],
    ['veth*', ['veth', 'veth0', 'vethabc'], ['eveth0', 'vet', 'VETH0']],
    ['*0', ['0', 'eth0', 'a00'], ['eth01', '']],
    ['e*h*0', ['eth0', 'eh0', 'exxhyy0'], ['eth', 'e0', 'h0']],
    ['eth[0-3]', ['eth0', 'eth3'], ['eth4', 'eth', 'eth00']],
    ['eth[!0-3]', ['eth4', 'ethx'], ['eth0', 'eth']],
    ['eth[^02]', ['eth1'], ['eth0', 'eth2']],
    ['eth[0-13x]', ['eth0', 'eth1', 'eth3', 'ethx'], ['eth2', 'eth-']],
    ['eth[a-]', ['etha', 'eth-'], ['ethb']],
    ['en?0', ['enx0', 'enö0'], ['en0', 'enxx0']],
    ['a[*]', ['a*'], ['ab', 'a']],
    ['eth0.*', ['eth0.7', 'eth0.'], ['eth007', 'eth0']],
    ['a|b*', ['a|b', 'a|bc'], ['a', 'b']],
    ['(a+)*', ['(a+)', '(a+)x'], ['aaa']],
    ['\\*', ['\\', '\\x'], ['*', 'x']],
    ['^a$?', ['^a$b'], ['a', 'ab']],
    ['eth0', ['eth0'], ['eth00', 'ETH0']],
    ['eth]', ['eth]'], ['eth']],
  ])('%s takes what it says and nothing else', (pattern, taken, left) => {
    for (const name of taken) expect(matchesPattern(pattern, name), name).toBe(true);
    for (const name of left) expect(matchesPattern(pattern, name), name).toBe(false);
  });

  it('says what a model says that tries everything', () => {
    const piece = fc.constantFrom('*', '?', 'a', 'b', '[ab]', '[!a]', '[b-c]', '.');
    const pattern = fc.array(piece, { maxLength: 8 });
    const name = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '.'), maxLength: 8 });
    fc.assert(
      fc.property(pattern, name, (pieces, ifname) => {
        fc.pre(pieces.some((each) => each !== 'a' && each !== 'b' && each !== '.'));
        expect(matchesPattern(pieces.join(''), ifname)).toBe(takes(pieces, ifname));
      }),
      { numRuns: 2000 },
    );
  });

  it('is decided at once, however many stars it has', () => {
    const started = performance.now();
    expect(matchesPattern(`${'*a'.repeat(2000)}b`, 'a'.repeat(5000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it.each(['*', 'eth?', '[ab]'])('is what has a wildcard: %s', (text) => {
    expect(isPattern(text)).toBe(true);
    expect(patternProblem(text)).toBeUndefined();
  });

  it.each(['eth0', 'wg-home', 'br0.100', 'ünï', 'a%b', 'eth]', 'x'.repeat(15)])(
    'is not a plain name: %s',
    (text) => {
      expect(isPattern(text)).toBe(false);
      expect(patternProblem(text)).toBeUndefined();
    },
  );

  it.each([
    ['', 'is empty'],
    ['.', 'is no name of an interface'],
    ['..', 'is no name of an interface'],
    ['eth[0-3', "has a '[' without its ']'"],
    ['eth[]', "has '[]' with nothing in it"],
    ['eth[!]', "has '[]' with nothing in it"],
    ['eth[3-0]', "has '3-0', whose end comes before its start"],
    ['a/b', "has '/', which no name of an interface has"],
    ['veth:*', "has ':', which no name of an interface has"],
    ['a b', 'has a space, which no name of an interface has'],
    ['a\n*', 'has a control character, which no name of an interface has'],
    ['x'.repeat(16), 'takes at least 16 bytes: names of interfaces have 15 at most'],
    ['ü'.repeat(8), 'takes at least 16 bytes: names of interfaces have 15 at most'],
    [`${'?'.repeat(14)}[ab]*x`, 'takes at least 16 bytes: names of interfaces have 15 at most'],
  ])('is refused when nothing can fit it: %j', (text, problem) => {
    expect(patternProblem(text)).toBe(problem);
  });

  it('takes nothing while it is wrong', () => {
    expect(matchesPattern('eth[0-3', 'eth[0-3')).toBe(false);
  });

  it('never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (pattern, name) => {
        const problem = patternProblem(pattern);
        if (matchesPattern(pattern, name) && name !== '')
          expect(problem?.startsWith('has a [')).not.toBe(true);
      }),
    );
  });
});

/** The same by trying all that a star can take. */
function takes(pieces: readonly string[], name: string): boolean {
  const [piece, ...rest] = pieces;
  if (piece === undefined) return name === '';
  if (piece === '*') return takes(rest, name) || (name !== '' && takes(pieces, name.slice(1)));
  const first = name[0];
  if (first === undefined) return false;
  const fits =
    piece === '?' ||
    piece === first ||
    (piece === '[ab]' && 'ab'.includes(first)) ||
    (piece === '[!a]' && first !== 'a') ||
    (piece === '[b-c]' && 'bc'.includes(first));
  return fits && takes(rest, name.slice(1));
}
