import { expect, it } from 'vitest';
import { explainEntry } from '../../../src/ebpf/map-failure.js';
import type { MapInfo } from '../../../src/ebpf/map-info.js';
import { errnoNumber, SysError } from '../../../src/sys/errno.js';

function info(type: string): MapInfo {
  const common = { id: 1, name: 'm', keySize: 4, valueSize: 4, maxEntries: 8, flags: 0 };
  return { ...common, type, btfId: 0, keyTypeId: 0, valueTypeId: 0, kernelBtfId: 0, kernelValueTypeId: 0 };
}

it.each([
  ['hash', 'EEXIST', 'conflict', 'm has an entry 9 already'],
  ['hash', 'ENOENT', 'not-found', 'm has no entry 9'],
  ['hash', 'E2BIG', 'conflict', 'm is full: it holds 8 entries'],
  ['array', 'E2BIG', 'bad-value', 'm has no entry 9: its indices go from 0 to 7'],
  ['hash', 'EPERM', 'not-permitted', 'cannot write m: it is frozen or read-only'],
  [
    'array_of_maps',
    'EINVAL',
    'bad-value',
    'cannot write entry 3 of m: the map is of another shape than those in it, or a map of maps itself',
  ],
] as const)('a write to a map of type %s that fails with %s is %s', (type, errno, code, message) => {
  const failure = new SysError('write a map entry', errnoNumber(errno));
  const entry = /entry (\d)/.exec(message)?.[1] ?? '9';
  expect(explainEntry(failure, 'write', entry, info(type))).toMatchObject({ code, message });
});

it('an error that has nothing to do with the entry stays as it is', () => {
  const failure = new SysError('write a map entry', errnoNumber('ENOMEM'));
  expect(explainEntry(failure, 'write', '9', info('hash'))).toBe(failure);
});
