import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { BpfMap, type CreateMapOptions } from '../../../src/ebpf/map.js';
import { atLeast, kernelBtfPath } from '../../../src/host/kernel.js';
import { btfForMap } from '../../../src/obj/btf/map-types.js';
import { readBtf } from '../../../src/obj/btf/read.js';
import { BtfSubset } from '../../../src/obj/btf/subset.js';
import { describeAsRoot } from '../../support/requirements.js';

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** `struct guarded { u64 count; struct bpf_spin_lock lock; }` as the value of a map with u32 keys. */
function guarded(): CreateMapOptions['btf'] {
  const kernel = readBtf(readFileSync(kernelBtfPath));
  const find = (name: string, kind: 'struct' | 'typedef'): number => {
    const type = kernel.find(name, kind);
    if (type === undefined) throw new Error(`the kernel has no ${name}`);
    return subset.add({ btf: kernel, id: type.id });
  };
  const subset = new BtfSubset();
  const lock = find('bpf_spin_lock', 'struct');
  const count = find('u64', 'typedef');
  const value = subset.addMade({
    kind: 'struct',
    id: 0,
    name: 'guarded',
    size: 16,
    members: [
      { name: 'count', type: count, bitOffset: 0, bitSize: 0 },
      { name: 'lock', type: lock, bitOffset: 64, bitSize: 0 },
    ],
  });
  const key = find('u32', 'typedef');
  return { blob: subset.bytes(), keyTypeId: key, valueTypeId: value };
}

describeAsRoot('a map that is made by hand', () => {
  it('has the types that it was given, which the kernel keeps', () => {
    const made = btfForMap({ key: { word: 'ipv4' }, value: { word: 'be16' } });
    if (made === undefined) throw new Error('no types');
    const btf = { blob: made.bytes, keyTypeId: made.key, valueTypeId: made.value };
    using map = BpfMap.create({ type: 'hash', name: 'hosts', maxEntries: 10, btf, flags: ['no_prealloc'] });
    expect(map.info).toMatchObject({
      type: 'hash',
      name: 'hosts',
      keySize: 4,
      valueSize: 2,
      maxEntries: 10,
      flags: 1,
    });
    map.set('10.0.0.1', 443);
    using again = BpfMap.fromId(map.info.id);
    expect([...again]).toEqual([['10.0.0.1', 443]]);
  });

  it('of a type that the kernel keeps no types for still has them in this process', () => {
    const made = btfForMap({ value: { word: 'u16' } });
    if (made === undefined) throw new Error('no types');
    const btf = { blob: made.bytes, valueTypeId: made.value };
    using map = BpfMap.create({ type: 'queue', maxEntries: 2, btf });
    map.push(7);
    expect(map.pop()).toBe(7);
    expect(map.info.btfId).toBe(0);
  });

  it.each<[string, CreateMapOptions, string]>([
    [
      'no size',
      { type: 'hash', keySize: 4, valueSize: 4 },
      'a hash map needs maxEntries: how many entries fit',
    ],
    [
      'no key',
      { type: 'hash', valueSize: 4, maxEntries: 1 },
      'a hash map needs keySize, or BTF with a type for it',
    ],
    [
      'a wide index',
      { type: 'array', keySize: 8, valueSize: 4, maxEntries: 1 },
      'the keys of an array map have 4 bytes, not 8',
    ],
    [
      'a key',
      { type: 'queue', keySize: 4, valueSize: 4, maxEntries: 1 },
      'the keys of a queue map have 0 bytes, not 4',
    ],
    ['no inner map', { type: 'array_of_maps', maxEntries: 1 }, 'an array_of_maps map needs an inner map'],
    ['no types', { type: 'sk_storage', valueSize: 4 }, 'a sk_storage map needs BTF'],
    [
      'odd bytes',
      { type: 'ringbuf', maxEntries: 4097 },
      'the kernel makes no such ringbuf map: a size or flag does not fit',
    ],
    [
      'a long name',
      { type: 'hash', keySize: 4, valueSize: 4, maxEntries: 1, name: 'sixteen_letters_' },
      'is no name for a map',
    ],
    [
      'a struct that nobody knows',
      { type: 'struct_ops', struct: 'nothing' },
      'takes no programs as members of a struct nothing',
    ],
  ])('with %s is refused', (_, options, message) => {
    const open = readdirSync('/proc/self/fd').length;
    expect(thrownBy(() => BpfMap.create(options))).toMatchObject({
      message: expect.stringContaining(message),
    });
    expect(readdirSync('/proc/self/fd').length).toBe(open);
  });

  it('with a spin lock in its values takes it, where it is asked to and when all is read', async () => {
    for (const type of ['hash', 'array'] as const) {
      const map = BpfMap.create({ type, maxEntries: 4, btf: guarded() });
      expect(map.spinLock).toBe(true);
      map.set(1, { count: 7n }, 'any', { lock: true });
      expect(map.get(1, { lock: true })).toMatchObject({ count: 7n });
      expect(map.lookup(1, { lock: true })).toMatchObject({ count: 7n });
      expect(new Map(map).get(1)).toMatchObject({ count: 7n });
      const [batch] = [...map.batches({ lock: true })];
      if (batch === undefined) throw new Error('nothing was read');
      map.writeBatch(batch, { lock: true });
      await map.writeBatchAsync(batch, { lock: true, mode: 'exist' });
      // Older kernels take it.
      if (atLeast(6, 2))
        expect(thrownBy(() => map.freeze())).toMatchObject({
          code: 'unsupported',
          message: expect.stringContaining('lock'),
        });
      map[Symbol.dispose]();
    }
  });

  it('without one says so when it is to be taken', () => {
    using map = BpfMap.create({ type: 'hash', name: 'plain', keySize: 4, valueSize: 4, maxEntries: 4 });
    const because = {
      code: 'unsupported',
      message: 'the values of the hash map plain have no struct bpf_spin_lock to take',
    };
    const [key, value] = ['hex:00000000', 'hex:00000000'];
    for (const work of [
      () => map.set(key, value, 'any', { lock: true }),
      () => map.get(key, { lock: true }),
      () => [...map.batches({ lock: true })],
    ])
      expect(thrownBy(work)).toMatchObject(because);
  });
});
