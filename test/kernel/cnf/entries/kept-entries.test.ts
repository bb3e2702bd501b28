import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hostIsLittleEndian } from '../../../../src/base/byte-order.js';
import { compile } from '../../../../src/build/clang.js';
import { readFrom } from '../../../../src/cnf/entries/from-file.js';
import { restoreSnapshot, snapshotMap } from '../../../../src/cnf/entries/map-snapshot.js';
import { hasChanges } from '../../../../src/cnf/entries/merge.js';
import { load } from '../../../../src/ebpf/load.js';
import { packageRoot } from '../../../../src/host/package-root.js';
import { entryWriter, snapshotHeader, snapshotShape } from '../../../../src/obj/entries/index.js';
import { ObjectSpec } from '../../../../src/obj/spec.js';
import { expectUnchanged, type KernelState, snapshotKernelState } from '../../../support/kernel-state.js';
import { describeAsRoot } from '../../../support/requirements.js';
import { told } from '../../../unit/cnf/entries/support.js';
import { kinds, loaded, merge, put, stateOf } from './support.js';

describeAsRoot('the contents of a map that are kept in a file', () => {
  let before: KernelState;
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'netkit-test-'));
    before = snapshotKernelState();
  });
  afterAll(async () => {
    await expectUnchanged(before);
    rmSync(folder, { recursive: true });
  });

  it('come back into a map of every type that can be kept', async () => {
    for (const kind of kinds.filter(({ map }) => map !== 'devices')) {
      const path = join(folder, `fw@${kind.map}.kept`);
      const kept = await fill();
      const { object } = loaded();
      using _object = object;
      const { entries } = await restoreSnapshot(object.map(kind.map), path);
      expect(stateOf(object.map(kind.map), kind), kind.map).toEqual(kept);
      expect(entries, kind.map).toBe(kept.size);

      async function fill() {
        const { object } = loaded();
        using _object = object;
        const map = object.map(kind.map);
        for (const [index, key] of kind.keys.entries())
          put(map, key, Object.fromEntries(kind.members.map((name) => [name, index % 2])));
        const result = await snapshotMap(map, path);
        const state = stateOf(map, kind);
        expect(result).toEqual({ entries: state.size, bytes: statSync(path).size });
        expect(statSync(path).mode & 0o777).toBe(0o600);
        return state;
      }
    }
    expect(
      readdirSync(folder).every((file) => file.endsWith('.kept')),
      'nothing is left beside them',
    ).toBe(true);
  });

  it('are told to be damaged, or too many, or of another kind', async () => {
    const { object } = loaded();
    using _object = object;
    const map = object.map('rules');
    for (let key = 0; key < 10; key++) map.set(key, { action: 'DROP' });
    const path = join(folder, 'rules.kept');
    await snapshotMap(map, path);
    const { object: small } = loaded({ rules: 5 });
    using _small = small;
    await expect(restoreSnapshot(small.map('rules'), path)).rejects.toMatchObject({
      code: 'conflict',
      message: /is full/,
    });
    await expect(restoreSnapshot(object.map('numbers'), path)).rejects.toMatchObject({
      code: 'conflict',
      message: /do not fit/,
    });
    truncateSync(path, statSync(path).size - 40);
    await expect(restoreSnapshot(map, path)).rejects.toMatchObject({
      code: 'bad-value',
      message: /it was cut/,
    });
    await expect(restoreSnapshot(map, join(folder, 'none.kept'))).rejects.toMatchObject({
      code: 'not-found',
    });
    await expect(snapshotMap(map, path, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'interrupted',
    });
  });

  it('go into a map whose values have got members since, and as what is declared say nothing of these', async () => {
    const path = join(folder, 'services.nkmap');
    const [old, grown, moved] = [await release(), await release(['APPENDED']), await release(['MOVED'])];
    {
      using object = load(old);
      const map = object.map('services');
      map.set(7, { packets: 5, limits: { rate: 1, burst: 2 } });
      await snapshotMap(map, path);
    }
    const declared = await readFrom(grown, 'services', path);
    expect(told(grown, 'services', declared)).toEqual(['7: packets=5,limits.rate=1,limits.burst=2']);
    using object = load(grown);
    const map = object.map('services');
    map.set(8, { note: 3 });
    expect(await restoreSnapshot(map, path, { name: 'fw/services' })).toEqual({ entries: 1 });
    const limits = { rate: 1, burst: 2 };
    expect(map.get(7)).toEqual({ packets: 5n, limits, note: 0, name: '' });
    expect(map.get(8), 'what else is there stays').toMatchObject({ note: 3 });
    map.set(7, { packets: 5, limits, note: 9 });
    expect(hasChanges(await merge(map, undefined, declared))).toBe(false);
    using other = load(moved);
    await expect(restoreSnapshot(other.map('services'), path, { name: 'fw/services' })).rejects.toMatchObject(
      {
        code: 'conflict',
        message: expect.stringMatching(/do not fit into fw\/services: value\.packets was/),
      },
    );
  });

  it('that refer to programs of another boot are refused, and those without come back', async () => {
    const { object } = loaded();
    using _object = object;
    const map = object.map('cores');
    map.set(0, { qsize: 192 });
    const path = join(folder, 'cores.kept');
    await snapshotMap(map, path);
    // The boot's id stands in the header, whose checksum goes over it.
    const bytes = readFileSync(path);
    const header = snapshotHeader(bytes);
    const shape = snapshotShape(header);
    const rewritten = (program: number): void => {
      const writer = entryWriter('snapshot', shape, { snapshot: { ...header, bootId: 'another' } });
      const values = new Uint8Array(8);
      new DataView(values.buffer).setUint32(0, 100, hostIsLittleEndian);
      new DataView(values.buffer).setUint32(4, program, hostIsLittleEndian);
      const batch = { count: 1, keys: new Uint8Array(4), values };
      const parts = [writer.head(), writer.batch(batch), writer.tail()];
      writeFileSync(path, Buffer.concat(parts.map((part) => Uint8Array.from(part))));
    };
    rewritten(0);
    await restoreSnapshot(map, path);
    expect(map.get(0)).toEqual({ qsize: 100, prog: 0 });
    rewritten(5);
    await expect(restoreSnapshot(map, path)).rejects.toMatchObject({
      code: 'conflict',
      message: /ids of programs, of another boot/,
    });
  });
});

async function release(defines: readonly string[] = []): Promise<ObjectSpec> {
  const folder = await mkdtemp(join(tmpdir(), 'netkit-test-'));
  try {
    const output = join(folder, 'migrate.bpf.o');
    await compile({ sources: ['test/fixtures/migrate.bpf.c'], output, cwd: packageRoot(), defines });
    return await ObjectSpec.read(output);
  } finally {
    await rm(folder, { recursive: true });
  }
}
