import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type GivenChoices, takeOver } from '../../../../src/cnf/replacing/choices.js';
import { ObjectSpec } from '../../../../src/obj/spec.js';

const path = join(import.meta.dirname, '../../../fixtures/objects/maps.bpf.o');
const spec = ObjectSpec.parse(new Uint8Array(readFileSync(path)), { path });

const none: GivenChoices = { globals: {}, mapSizes: {}, reuse: {}, targets: undefined, only: null };

function taken(
  recorded: Partial<Parameters<typeof takeOver>[0]['options']>,
  given: Partial<GivenChoices> = {},
): { readonly choices: ReturnType<typeof takeOver>; readonly notes: readonly string[] } {
  const notes: string[] = [];
  const options = { globals: {}, mapSizes: {}, reuse: {}, only: null, ...recorded };
  const choices = takeOver({ name: 'f', options }, { ...none, ...given }, spec, (text) => notes.push(text));
  return { choices, notes };
}

describe('choices of a function that is replaced', () => {
  it('are taken over one by one unless they are given anew', () => {
    const recorded = { mapSizes: { flows: 5, recent: 6 }, reuse: { counts: 'g/counts' }, only: ['tail'] };
    expect(taken(recorded, { mapSizes: { flows: 7 } }).choices).toEqual({
      globals: {},
      mapSizes: { flows: 7, recent: 6 },
      reuse: { counts: 'g/counts' },
      only: ['tail'],
    });
    expect(taken(recorded, { only: ['maps'] }).choices.only).toEqual(['maps']);
  });

  it('are left out, with a note, where the new object has nothing of the name', () => {
    const { choices, notes } = taken({
      globals: { gone: '1' },
      mapSizes: { gone: 5 },
      only: ['gone', 'tail'],
    });
    expect(choices).toEqual({ globals: {}, mapSizes: {}, reuse: {}, only: ['tail'] });
    expect(notes).toEqual([
      "the new object has no variable 'gone', for which 'f' had an option",
      "the new object has no map 'gone', for which 'f' had an option",
      "the new object has no program 'gone', which 'f' was loaded with",
    ]);
  });

  it('forget that a map was reused which was its own: it is kept as every other', () => {
    expect(taken({ reuse: { counts: 'f/counts' } }).choices.reuse).toEqual({});
  });
});
