import { describe, expect, it } from 'vitest';
import { mapTypes } from '../../../src/base/kernel-words.js';
import { type AskedShape, mapShape } from '../../../src/cli/map-shape.js';
import type { MapTypeWord } from '../../../src/obj/map-definition.js';
import { refusal } from './refusal.js';

function asked(type: MapTypeWord, more: Partial<AskedShape> = {}): AskedShape {
  return {
    type,
    keySize: undefined,
    valueSize: undefined,
    maxEntries: undefined,
    flags: [],
    inner: false,
    pageSize: 4096,
    possibleCpus: 2,
    ...more,
  };
}

const refused = (type: MapTypeWord, more: Partial<AskedShape> = {}) =>
  refusal(() => mapShape(asked(type, more)));

describe('the shape of a new map', () => {
  it('has what its type prescribes when that is left out', () => {
    expect(mapShape(asked('array', { valueSize: 8, maxEntries: 3 }))).toEqual({
      keySize: 4,
      valueSize: 8,
      maxEntries: 3,
      flags: [],
    });
    expect(mapShape(asked('queue', { valueSize: 8, maxEntries: 3 }))).toMatchObject({ keySize: 0 });
    expect(mapShape(asked('ringbuf', { maxEntries: 8192 }))).toMatchObject({ keySize: 0, valueSize: 0 });
    expect(mapShape(asked('perf_event_array'))).toMatchObject({ keySize: 4, valueSize: 4, maxEntries: 2 });
    expect(mapShape(asked('task_storage', { valueSize: 8 }))).toMatchObject({
      maxEntries: 0,
      flags: ['no_prealloc'],
    });
    const prefixes = asked('lpm_trie', { keySize: 8, valueSize: 1, maxEntries: 1, flags: ['no_prealloc'] });
    expect(mapShape(prefixes)).toMatchObject({ flags: ['no_prealloc'] });
  });

  it.each([
    [
      'array',
      { keySize: 8, valueSize: 8, maxEntries: 1 },
      /keys of an array map have 4 bytes, not 8.*indices/,
    ],
    ['queue', { keySize: 4, valueSize: 8, maxEntries: 1 }, /queue map has no keys/],
    ['ringbuf', { valueSize: 8, maxEntries: 4096 }, /ringbuf map has no values/],
    ['ringbuf', { maxEntries: 5000 }, /power of two.*4096.*not 5000/],
    ['ringbuf', { maxEntries: 2048 }, /power of two.*not 2048/],
    ['ringbuf', { maxEntries: 0 }, /power of two.*not 0/],
    ['user_ringbuf', { maxEntries: 3 * 4096 }, /power of two/],
    ['lpm_trie', { keySize: 4, valueSize: 1, maxEntries: 1 }, /5 to 260 bytes, not 4.*length/],
    ['lpm_trie', { keySize: 261, valueSize: 1, maxEntries: 1 }, /5 to 260 bytes, not 261/],
    ['stack_trace', { valueSize: 12, maxEntries: 1 }, /multiple of 8 bytes, not 12/],
    ['devmap', { valueSize: 6, maxEntries: 1 }, /4 or 8 bytes, not 6/],
    ['hash', { keySize: 0, valueSize: 1, maxEntries: 1 }, /keys.*at least 1 byte, not 0/],
    ['hash', { keySize: 4, valueSize: 1, maxEntries: 0 }, /at least one entry/],
    ['task_storage', { valueSize: 8, maxEntries: 5 }, /no --max-entries/],
    ['array', { valueSize: 8, maxEntries: 1, flags: ['no_prealloc'] }, /does not take the flag no_prealloc/],
    ['hash', { keySize: 1, valueSize: 1, maxEntries: 1, flags: ['mmapable'] }, /flag mmapable/],
    [
      'hash',
      { keySize: 1, valueSize: 1, maxEntries: 1, flags: ['rdonly_prog', 'wronly_prog'] },
      /exclude each other/,
    ],
  ] as const)('of a %s refuses %j in the words of its type', (type, more, says) => {
    expect(refused(type, more)).toMatchObject({ code: 'bad-value', message: expect.stringMatching(says) });
  });

  it('names a size of a ring buffer that would do', () => {
    expect(refused('ringbuf', { maxEntries: 5000 }).hint).toBe('8192 would do');
    expect(refused('ringbuf', { maxEntries: 1, pageSize: 65536 }).hint).toBe('65536 would do');
  });

  it.each([
    ['hash', { valueSize: 8, maxEntries: 1 }, /how large its keys are/, /--key-type/],
    ['hash', { keySize: 8, maxEntries: 1 }, /how large its values are/, /--value-size/],
    ['hash', { keySize: 8, valueSize: 8 }, /needs --max-entries: how many entries fit/, undefined],
    ['ringbuf', {}, /needs --max-entries: its bytes, a power of two/, undefined],
    ['array_of_maps', { maxEntries: 1 }, /like those that will be in it/, /--inner/],
  ] as const)('of a %s with %j says what is missing', (type, more, says, hints) => {
    const error = refused(type, more);
    expect(error).toMatchObject({ code: 'usage', message: expect.stringMatching(says) });
    if (hints !== undefined) expect(error.hint).toMatch(hints);
  });

  it('takes an inner map for maps of maps only', () => {
    expect(mapShape(asked('hash_of_maps', { keySize: 4, maxEntries: 1, inner: true }))).toMatchObject({
      valueSize: 4,
    });
    expect(refused('hash', { keySize: 4, valueSize: 4, maxEntries: 1, inner: true }).message).toMatch(
      /--inner/,
    );
  });

  it('is known for every map type', () => {
    for (const type of mapTypes.slice(1)) {
      const inner = type.endsWith('_of_maps');
      const sizes = { keySize: 8, valueSize: 8, maxEntries: 4096, inner };
      const given = [{}, sizes, { ...sizes, keySize: undefined }, { ...sizes, valueSize: undefined }];
      const none = { maxEntries: undefined, inner };
      const tries = [...given, { ...sizes, ...none }, { ...none, valueSize: 8 }, { maxEntries: 4096, inner }];
      const shapes = tries.flatMap((more) => {
        try {
          return [mapShape(asked(type, more))];
        } catch {
          return [];
        }
      });
      expect(shapes.length > 0, type).toBe(type !== 'struct_ops');
    }
  });
});
