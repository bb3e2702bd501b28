import { expect, it } from 'vitest';
import { mapTypes } from '../../../src/base/kernel-words.js';
import { Scope } from '../../../src/base/scope.js';
import { BpfMap } from '../../../src/ebpf/map.js';
import { type MapOperation, mapOperations, reasonAgainst } from '../../../src/obj/map-operations.js';
import { errnoName } from '../../../src/sys/errno.js';
import { MapCalls } from '../../../src/sys/map-calls.js';
import { mapKinds } from '../../support/map-kinds.js';
import { describeAsRoot } from '../../support/requirements.js';

const types = mapTypes.filter((type) => type !== 'unspec');

/** netkit refuses these without asking, so nothing else would notice if a kernel came to have them. */
describeAsRoot('what netkit says that a type of map cannot do, the kernel refuses too:', () => {
  it.each(types)('%s', (type) => {
    using scope = new Scope();
    using map = BpfMap.create({ type, name: 'asked', ...mapKinds[type].options(scope) });
    for (const operation of mapOperations) {
      const reason = reasonAgainst(type, operation);
      if (reason !== undefined)
        expect(ask(map, operation), `${operation}, although ${reason}`).not.toContain('0');
    }
  });
});

/** What the kernel answers to the calls that an operation consists of: the last one, or the first that fails. */
function ask(map: BpfMap, operation: MapOperation): string {
  const calls = new MapCalls(map.fd);
  const { keySize, valueStride } = map.shape;
  // Of a map without keys, one that somebody might give all the same.
  const key = new Uint8Array(keySize === 0 ? 4 : keySize);
  const value = new Uint8Array(Math.max(8, valueStride));
  const given = keySize === 0 ? undefined : key;
  const name = (errno: number): string => (errno === 0 ? '0' : errnoName(errno));
  switch (operation) {
    case 'get':
      return name(calls.lookup(key, value));
    case 'lookup':
      return name(calls.lookup(given, value));
    case 'update':
      return name(calls.update(key, value));
    case 'delete':
      return name(calls.delete(key));
    case 'dump': {
      const next = calls.nextKey(undefined, key);
      return name(next === 0 ? calls.lookup(key, value) : next);
    }
    case 'push':
      return name(calls.update(undefined, value));
    case 'pop':
    case 'peek':
      return name(calls.take(operation, value));
  }
}
