/** What becomes of batch calls where the kernel refuses them, or ends them early: here a fake one, so that no root is needed. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EntryAccess } from '../../../src/ebpf/map-access.js';
import { PartialWrite } from '../../../src/ebpf/map-failure.js';
import type { MapInfo } from '../../../src/ebpf/map-info.js';
import { readAhead, readBatches } from '../../../src/ebpf/map-read.js';
import { deleteNow, writeAside, writeNow } from '../../../src/ebpf/map-write.js';
import type { EntryBatch } from '../../../src/obj/entries/batch.js';
import { type NativeArgument, setFakeNative } from '../../../src/sys/call.js';
import { Fd } from '../../../src/sys/fd.js';
import { attr, bpfCommands } from '../../../src/sys/uapi.js';

const errno = {
  ENOENT: 2,
  EINTR: 4,
  ENOMEM: 12,
  EEXIST: 17,
  EINVAL: 22,
  ENOSPC: 28,
  E2BIG: 7,
  ENOTSUPP: 524,
};
type Command = keyof typeof bpfCommands;

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  // What /proc says of the fake kernel's descriptor.
  const readFileSync = (path: string, encoding: BufferEncoding): string =>
    path.startsWith('/proc/self/fdinfo/900')
      ? 'flags:\t02000002\nfrozen:\t0\n'
      : fs.readFileSync(path, encoding);
  return { ...fs, readFileSync };
});

/** Answers bpf(2) by the commands in turn; `count` is what a batch call says it did. */
class FakeKernel {
  readonly calls: string[] = [];
  answer: (command: Command, asked: number) => { errno?: number; count?: number } = () => ({});

  invoke(symbol: string, args: readonly NativeArgument[]): { result: number; errno?: number } {
    if (symbol === 'fcntl') return { result: 9001 };
    if (symbol === 'close') return { result: 0 };
    const [, number, block] = args;
    if (!(block instanceof Uint8Array)) throw new Error('bpf(2) without attributes');
    const command =
      (Object.keys(bpfCommands) as Command[]).find((name) => bpfCommands[name] === number) ?? 'MAP_CREATE';
    const view = new DataView(block.buffer, block.byteOffset);
    const [at] = attr.batch.fields.count;
    const isBatch = command.endsWith('_BATCH');
    const asked = isBatch ? view.getUint32(at, true) : 1;
    const { errno: error, count } = this.answer(command, asked);
    this.calls.push(`${command.replace('MAP_', '')}${isBatch ? ` ${asked}` : ''}`);
    if (isBatch && count !== undefined) view.setUint32(at, count, true);
    return error === undefined ? { result: 0 } : { result: -1, errno: error };
  }
}

function access(type: string, maxEntries = 100): EntryAccess {
  const info: MapInfo = {
    id: 1,
    name: 'm',
    type,
    keySize: 4,
    valueSize: 8,
    maxEntries,
    flags: 0,
    btfId: 0,
    keyTypeId: 0,
    valueTypeId: 0,
    kernelBtfId: 0,
    kernelValueTypeId: 0,
  };
  return new EntryAccess(new Fd(9000), info, (key) =>
    String(new DataView(key.buffer, key.byteOffset).getUint32(0, true)),
  );
}

function batchOf(count: number): EntryBatch {
  const keys = new Uint8Array(Uint32Array.from({ length: count }, (_, index) => index).buffer);
  return { count, keys, values: new Uint8Array(count * 8) };
}

const plain = { mode: 0, lock: 0 };
const times = (count: number, name: string): string[] => Array.from({ length: count }, () => name);

let kernel: FakeKernel;
beforeEach(() => {
  kernel = new FakeKernel();
  setFakeNative(kernel);
});
afterEach(() => setFakeNative(undefined));

describe('writing in batches', () => {
  it.each([
    ['ENOTSUPP', errno.ENOTSUPP],
    ['EINVAL', errno.EINVAL],
  ])('goes on one by one where the kernel answers %s, and does not ask again', (_, code) => {
    kernel.answer = (command) => (command.endsWith('_BATCH') ? { errno: code } : {});
    const map = access('hash');
    writeNow(map, batchOf(3), plain);
    expect(kernel.calls).toEqual(['UPDATE_BATCH 3', ...times(3, 'UPDATE_ELEM')]);
    writeNow(map, batchOf(2), plain);
    expect(kernel.calls.slice(4)).toEqual(times(2, 'UPDATE_ELEM'));
  });

  it('asks again after an entry that the kernel refused for its own sake', () => {
    kernel.answer = () => ({ errno: errno.EINVAL, count: 0 });
    const map = access('lpm_trie');
    expect(() => writeNow(map, batchOf(3), plain)).toThrow(
      'its prefix is longer than the addresses of the map',
    );
    expect(map.withoutBatch.size).toBe(0);
  });

  it('tries the entry that a batch ended at once more, and goes on behind it', () => {
    kernel.answer = (command, asked) =>
      command === 'MAP_UPDATE_BATCH' && asked === 10 ? { errno: errno.ENOMEM, count: 4 } : {};
    writeNow(access('hash'), batchOf(10), plain);
    expect(kernel.calls).toEqual(['UPDATE_BATCH 10', 'UPDATE_ELEM', 'UPDATE_BATCH 5']);
  });

  it('waits for memory, which comes, or says so when it does not', () => {
    let left = 5;
    kernel.answer = (command) => {
      if (command === 'MAP_UPDATE_BATCH') return { errno: errno.ENOMEM, count: 0 };
      return left-- > 0 ? { errno: errno.ENOMEM } : {};
    };
    writeNow(access('hash'), batchOf(1), plain);
    expect(kernel.calls.filter((call) => call === 'UPDATE_ELEM')).toHaveLength(6);
    left = 1e9;
    expect(() => writeNow(access('hash'), batchOf(1), plain)).toThrow('ENOMEM');
  });

  it.each(['at once', 'aside'])('says how many were written when one is refused, %s', async (how) => {
    kernel.answer = (command) =>
      command === 'MAP_UPDATE_BATCH' ? { errno: errno.E2BIG, count: 7 } : { errno: errno.E2BIG };
    const map = access('hash');
    const failure = await (how === 'aside'
      ? writeAside(map, batchOf(10), plain)
      : Promise.resolve().then(() => writeNow(map, batchOf(10), plain))
    ).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(PartialWrite);
    expect(failure).toMatchObject({
      written: 7,
      index: 7,
      code: 'conflict',
      details: { key: '7', written: 7 },
    });
  });

  it('under a condition goes one by one, which batches have none for', () => {
    kernel.answer = () => (kernel.calls.length === 2 ? { errno: errno.EEXIST } : {});
    expect(() => writeNow(access('hash'), batchOf(5), { mode: 1, lock: 0 })).toThrow(
      'm has an entry 2 already',
    );
    expect(kernel.calls).toEqual(times(3, 'UPDATE_ELEM'));
  });
});

describe('deleting in batches', () => {
  it('passes over keys that are not there, and counts the others', () => {
    kernel.answer = (command, asked) => {
      if (command === 'MAP_DELETE_ELEM') return { errno: errno.ENOENT };
      return asked > 3 ? { errno: errno.ENOENT, count: 2 } : { count: asked };
    };
    expect(deleteNow(access('hash'), batchOf(9).keys, 9)).toBe(2 + 2 + 3);
    expect(kernel.calls).toEqual([
      'DELETE_BATCH 9',
      'DELETE_ELEM',
      'DELETE_BATCH 6',
      'DELETE_ELEM',
      'DELETE_BATCH 3',
    ]);
  });
});

describe('reading in batches', () => {
  const counts = (map: EntryAccess, size?: number): number[] =>
    [...readBatches(map, 0, { size })].map(({ count }) => count);

  it('takes the entries that come with the end', () => {
    kernel.answer = (_, asked) =>
      kernel.calls.length < 2 ? { count: asked } : { errno: errno.ENOENT, count: 3 };
    expect(counts(access('hash'), 10)).toEqual([10, 10, 3]);
  });

  it('takes a last batch that is full', () => {
    kernel.answer = () => ({ errno: errno.ENOENT, count: 10 });
    expect(counts(access('hash'), 10)).toEqual([10]);
  });

  it('makes room for a bucket that does not fit, at the same place', async () => {
    kernel.answer = (_, asked) =>
      asked < 40 ? { errno: errno.ENOSPC, count: 0 } : { errno: errno.ENOENT, count: 33 };
    expect(counts(access('hash'), 10)).toEqual([33]);
    expect(kernel.calls).toEqual(['LOOKUP_BATCH 10', 'LOOKUP_BATCH 20', 'LOOKUP_BATCH 40']);
    const ahead: number[] = [];
    for await (const { count } of readAhead(access('hash'), 0, { size: 10 })) ahead.push(count);
    expect(ahead).toEqual([33]);
  });

  it.each(['at once', 'ahead'])(
    'goes on by index where an old kernel ends a batch at an empty slot, %s',
    async (how) => {
      // Position 0 is what the fake kernel leaves, as if index 0 had come last.
      kernel.answer = (command) => {
        if (command === 'MAP_LOOKUP_BATCH') return { errno: errno.EINTR, count: 1 };
        const index = kernel.calls.length;
        return index % 2 === 0 ? { errno: errno.ENOENT } : {};
      };
      const map = access('array_of_maps', 9);
      const keys: number[] = [];
      const batches = how === 'ahead' ? readAhead(map, 0, {}) : readBatches(map, 0, {});
      for await (const batch of batches) {
        const view = new DataView(batch.keys.buffer, batch.keys.byteOffset);
        for (let index = 0; index < batch.count; index++) keys.push(view.getUint32(index * 4, true));
      }
      expect(keys).toEqual([0, 1, 3, 5, 7]);
    },
  );

  it.each(['at once', 'ahead'])(
    'goes one by one where the kernel has no batches, and does not ask again, %s',
    async (how) => {
      kernel.answer = (command) => (command === 'MAP_LOOKUP_BATCH' ? { errno: errno.ENOTSUPP } : {});
      const map = access('devmap', 5);
      for (const expected of [['LOOKUP_BATCH 16'], []]) {
        kernel.calls.length = 0;
        const read: number[] = [];
        const batches = how === 'ahead' ? readAhead(map, 0, {}) : readBatches(map, 0, {});
        for await (const { count } of batches) read.push(count);
        expect(read).toEqual([5]);
        expect(kernel.calls).toEqual([...expected, ...times(5, 'LOOKUP_ELEM')]);
      }
    },
  );

  it('gives up after the same passing refusal a hundred times', () => {
    kernel.answer = () => ({ errno: errno.ENOMEM, count: 0 });
    expect(() => counts(access('hash'))).toThrow('ENOMEM');
    expect(kernel.calls).toHaveLength(100);
  });

  it('gives up on a listing without an order that gives the same key for ever', () => {
    kernel.answer = (command) => (command === 'MAP_LOOKUP_BATCH' ? { errno: errno.ENOTSUPP } : {});
    expect(() => counts(access('sockhash'))).toThrow('m changes too fast to be listed');
  });
});
