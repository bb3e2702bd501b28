import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EntryCollector, sameEntries } from '../../../../src/cnf/entries/declared-entries.js';
import { readInline } from '../../../../src/cnf/entries/inline.js';
import { EntriesStore, packEntries, unpackEntries } from '../../../../src/cnf/entries/stored-entries.js';
import { bytesCodec } from '../../../../src/obj/codec/index.js';
import type { EntryShape } from '../../../../src/obj/entries/batch.js';
import { declaredSpec, refusal } from './support.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'netkit-test-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const spec = declaredSpec();
const some = readInline(spec, 'blocklist', { '10.0.0.0/8': { action: 'DROP' }, '10.0.0.0/9': { tag: '3' } });

describe('declared entries in the state directory', () => {
  it('come back as they were, whatever they are', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 13 }),
        fc.integer({ min: 1, max: 13 }),
        fc.array(fc.tuple(fc.uint8Array({ minLength: 13, maxLength: 13 }), fc.nat(2)), { maxLength: 40 }),
        (keySize, valueSize, list) => {
          const shape: EntryShape = {
            key: bytesCodec(keySize),
            value: bytesCodec(valueSize),
            keySize,
            valueStride: valueSize,
            cpus: 1,
            cpuStride: valueSize,
          };
          const collector = new EntryCollector('hash', shape);
          for (const [bytes, mask] of list)
            collector.add(
              bytes,
              bytes.map((byte) => (mask === 2 ? byte : 0)),
              new Uint8Array(13).fill(mask * 127),
              0,
            );
          const entries = collector.done();
          const back = unpackEntries(packEntries(entries), 'x');
          expect(back).toEqual(entries);
          expect(sameEntries(back, entries)).toBe(true);
        },
      ),
    );
  });

  it('are written once, by a name that tells what is in them', () => {
    const store = new EntriesStore(folder);
    const file = store.write('fw', some);
    expect(file).toMatch(/^fw-[0-9a-f]{12}\.entries$/);
    expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
    const { ino } = statSync(join(folder, file));
    expect(store.write('fw', some)).toBe(file);
    expect(statSync(join(folder, file)).ino, 'left as it was').toBe(ino);
    expect(store.packed('fw', some).file).toBe(file);
    expect(store.read(file)).toEqual(some);
    const other = store.write('fw-2', some);
    expect(store.filesOf('fw')).toEqual([file]);
    expect(store.filesOf('fw-2')).toEqual([other]);
    writeFileSync(join(folder, file), 'damaged');
    store.write('fw', some);
    expect(store.read(file), 'mended').toEqual(some);
    store.drop(file);
    store.drop(other);
    store.drop(other);
    expect(readdirSync(folder)).toEqual([]);
    expect(refusal(() => store.read(file))).toMatchObject({
      code: 'bad-state',
      message: expect.stringMatching(/is gone$/),
    });
  });

  it('are known to be damaged wherever they were cut or changed', () => {
    const bytes = packEntries(some);
    for (let length = 0; length < bytes.length; length++) {
      const error = refusal(() => unpackEntries(bytes.slice(0, length), 'fw.entries'));
      expect(error.code).toBe('bad-state');
      expect(error.message).toMatch(/^fw\.entries is damaged: (it is empty|it was cut)/);
    }
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = bytes.slice();
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(refusal(() => unpackEntries(changed, 'fw.entries')).code, `bit ${bit}`).toBe('bad-state');
    }
    expect(refusal(() => unpackEntries(Buffer.concat([bytes, Buffer.alloc(1)]), 'x')).message).toMatch(
      /checksum/,
    );
    const newer = bytes.slice();
    newer[8] = 9;
    expect(refusal(() => unpackEntries(newer, 'x')).message).toBe(
      'x was written by a newer netkit (format 9)',
    );
  });

  it('for every CPU are there once, and serve any number of CPUs', () => {
    const entries = readInline(spec, 'cpu_rules', { 1: { action: 'DROP' }, 2: { tag: '3' } });
    const bytes = packEntries(entries);
    expect(unpackEntries(bytes, 'x')).toEqual(entries);
    const { cpus, cpuStride, keySize, valueSize } = entries;
    const more: EntryShape = {
      key: bytesCodec(keySize),
      value: bytesCodec(valueSize),
      keySize,
      cpus: cpus + 2,
      cpuStride,
      valueStride: (cpus + 2) * cpuStride,
    };
    const collector = new EntryCollector('percpu_hash', more);
    for (let index = 0; index < entries.count; index++) {
      const of = (all: Uint8Array) => {
        const one = all.subarray(0, cpuStride);
        return Buffer.concat(Array.from({ length: cpus + 2 }, () => one));
      };
      const at = index * entries.valueStride;
      const mask = entries.masks[entries.maskOf?.[index] ?? 0] ?? new Uint8Array(0);
      const key = entries.keys.subarray(index * keySize, (index + 1) * keySize);
      collector.add(key, of(entries.values.subarray(at)), of(mask), 0);
    }
    // Written on a machine with more CPUs.
    expect(unpackEntries(packEntries(collector.done()), 'x')).toEqual(entries);
    const own = readInline(spec, 'cpu_rules', {
      1: Array.from({ length: cpus }, (_, cpu) => ({ tag: String(cpu) })),
    });
    expect(unpackEntries(packEntries(own), 'x')).toEqual(own);
  });

  it('are the same in whichever order', () => {
    const read = (text: Record<string, string>) =>
      readInline(
        spec,
        'flows',
        Object.entries(text).map(([port, value]) => ({ key: { port }, value })),
      );
    const one = read({ 80: '1', 443: '2' });
    expect(
      sameEntries(
        one,
        readInline(spec, 'flows', [
          { key: { port: '443' }, value: '2' },
          { key: { port: '80' }, value: '1' },
        ]),
      ),
    ).toBe(true);
    for (const other of [read({ 80: '1' }), read({ 80: '1', 443: '3' }), read({ 80: '1', 444: '2' })])
      expect(sameEntries(one, other)).toBe(false);
    const rules = (members: Record<string, string>) => readInline(spec, 'rules', { 1: members });
    expect(sameEntries(rules({ action: 'PASS' }), rules({ action: 'PASS', tag: '0' }))).toBe(false);
  });
});
