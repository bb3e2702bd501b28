import { describe, expect, it } from 'vitest';
import { fitted, someNames } from '../../../src/cli/fit.js';
import { Page, plainText } from '../../../src/cli/page.js';

function shown(columns: number): string[] {
  const page = new Page().table(
    ['NAME', { title: 'OF', mayCut: true }, { title: 'FLAGS', mayCut: true }],
    [
      ['blocklist_v4', 'firewall', 'no_prealloc,rdonly_prog'],
      ['stats', 'firewall', null],
    ],
  );
  return plainText(fitted(page.blocks, columns)).trimEnd().split('\n');
}

describe('a table on a terminal', () => {
  it('stays as it is where it fits', () => {
    expect(shown(47)[1]).toBe('blocklist_v4  firewall  no_prealloc,rdonly_prog');
  });

  it('has its last columns cut where it does not, and only those that may be', () => {
    expect(shown(36)[1]).toBe('blocklist_v4  firewall  no_prealloc…');
    expect(shown(25)[1]).toBe('blocklist_v4  fir…  no_p…');
    expect(shown(10)).toEqual(['NAME          OF  FLAGS', 'blocklist_v4  f…  no_p…', 'stats         f…  -']);
  });
});

describe('names', () => {
  const names = ['flows', 'counts', 'recent', 'jobs'];

  it.each([
    [27, 'flows, counts, recent, jobs'],
    [26, 'flows, counts, … 4 maps'],
    [22, 'flows, … 4 maps'],
    [10, '4 maps'],
    [0, '4 maps'],
  ])('within %i characters are %s', (width, text) => {
    expect(someNames(names, 'maps', width)).toBe(text);
  });

  it('that are no longer than their number are shown', () => {
    expect(someNames(['a'], 'maps', 0)).toBe('a');
    expect(someNames([], 'maps', 0)).toBe('');
  });
});
