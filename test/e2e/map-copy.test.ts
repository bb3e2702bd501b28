import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Scope } from '../../src/base/scope.js';
import { documents } from '../../src/cli/schema/documents.js';
import { bootId } from '../../src/host/kernel.js';
import { checksum } from '../../src/obj/entries/checksum.js';
import { snapshotHeader } from '../../src/obj/entries/index.js';
import { expectUnchanged, type KernelState, snapshotKernelState } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { bpftoolDump, documentOf, errorOf, fixture, type Ground, makeGround } from './ground.js';
import { Objects } from './objects.js';

describeAsRoot('map copy', () => {
  const owned = new Scope();
  let kernel: KernelState;
  let ground: Ground;
  let folder: string;

  beforeAll(async () => {
    kernel = snapshotKernelState();
    const objects = owned.use(new Objects());
    folder = objects.folder;
    ground = owned.use(makeGround());
    for (const [name, defines] of [
      ['old', []],
      ['same', ['ENTRIES=200']],
      ['grown', ['APPENDED']],
      ['moved', ['MOVED']],
      ['lru', ['TYPE=BPF_MAP_TYPE_LRU_HASH', 'ENTRIES=4000']],
      ['array', ['TYPE=BPF_MAP_TYPE_ARRAY']],
      ['tiny', ['ENTRIES=2']],
    ] as const)
      ground.does('load', await objects.compile('test/fixtures/migrate.bpf.c', defines), '--name', name);
    ground.does('load', fixture('maps'), '--name', 'many');
    ground.does('map', 'update', 'many/prefixes_v4', '10.0.0.0/8', 'PASS');
    for (const key of [1, 2, 3])
      ground.does(
        'map',
        'update',
        'old/services',
        `${key}`,
        `packets=${key},limits.rate=${key}0,limits.burst=7`,
      );
    ground.does('map', 'update', 'old/counters', '2', 'packets=5,limits.rate=1');
  });
  afterAll(async () => {
    owned[Symbol.dispose]();
    await expectUnchanged(kernel);
  });

  const dump = (map: string) => {
    const { entries } = documentOf(documents['map dump'], ground.does('map', 'dump', map, '--json'));
    return entries.sort((a, b) => Number(a.key) - Number(b.key));
  };
  const raw = (map: string) => {
    const [name = '', which = ''] = map.split('/');
    return bpftoolDump(join(ground.bpffs.root.path, 'netkit', name, 'maps', which))
      .map(({ key, value }) => `${key} ${value}`)
      .sort();
  };
  const limits = (key: number) => ({ packets: key, limits: { rate: key * 10, burst: 7 } });

  describe('into a map whose entries fit', () => {
    beforeEach(() => {
      for (const map of ['same', 'grown', 'lru']) {
        const path = join(folder, 'none.json');
        ground.does('map', 'export', 'tiny/services', path);
        ground.does('map', 'import', `${map}/services`, path, '--replace');
      }
    });

    it('takes entries of the same type over as they are, into a larger map and into one that evicts', () => {
      for (const map of ['same/services', 'lru/services']) {
        const result = ground.does('map', 'copy', 'old/services', map);
        expect(result.stdout).toBe(`3 entries of old/services written to ${map}\n`);
        expect(raw(map)).toEqual(raw('old/services'));
      }
    });

    it('adds zeros where members were appended', () => {
      ground.does('map', 'copy', 'old/services', 'grown/services');
      expect(dump('grown/services')).toEqual(
        [1, 2, 3].map((key) => ({ key, value: { ...limits(key), note: 0, name: '' } })),
      );
      expect(raw('grown/services')).toEqual(raw('old/services').map((entry) => `${entry}${'00'.repeat(16)}`));
    });

    it('adds zeros to the value of each CPU, and leaves the new entries of an array', () => {
      ground.does('map', 'copy', 'old/counters', 'grown/counters');
      const values = dump('grown/counters').map(({ value }) => value);
      expect(values).toHaveLength(8);
      const [{ entries }] = [
        documentOf(
          documents['map dump'],
          ground.does('map', 'dump', 'grown/counters', '--per-cpu', '--json'),
        ),
      ];
      for (const { key, value } of entries) {
        const expected = key === 2 ? { packets: 5, limits: { rate: 1, burst: 0 } } : limits(0);
        const zero = key === 2 ? expected : { packets: 0, limits: { rate: 0, burst: 0 } };
        for (const each of Array.isArray(value) ? value : [])
          expect(each).toEqual({ ...zero, note: 0, name: '' });
      }
    });

    it('keeps what the target has, and with --replace makes it equal', () => {
      ground.does('map', 'update', 'same/services', '9', 'packets=9');
      ground.does('map', 'update', 'same/services', '1', 'packets=1,limits.rate=10,limits.burst=7');
      const dry = ground.does('map', 'copy', 'old/services', 'same/services', '--replace', '--dry-run');
      expect(dry.stdout.trimEnd().split('\n').sort()).toEqual([
        '+ 2 {"packets":2,"limits":{"rate":20,"burst":7}}',
        '+ 3 {"packets":3,"limits":{"rate":30,"burst":7}}',
        '- 9 {"packets":9,"limits":{"rate":0,"burst":0}}',
      ]);
      ground.does('map', 'copy', 'old/services', 'same/services');
      expect(raw('same/services')).toHaveLength(4);
      const document = documentOf(
        documents['map copy'],
        ground.does('map', 'copy', 'old/services', 'same/services', '--replace', '--json'),
      );
      expect(document).toMatchObject({ entries: 3, written: 0, same: 3, removed: 1, dryRun: false });
      expect(document.from.name).toBe('services');
      expect(raw('same/services')).toEqual(raw('old/services'));
    });

    it('takes a snapshot over likewise', () => {
      const path = join(folder, 'old.nkmap');
      ground.does('map', 'export', 'old/services', path);
      ground.does('map', 'import', 'grown/services', path);
      expect(dump('grown/services')).toEqual(
        [1, 2, 3].map((key) => ({ key, value: { ...limits(key), note: 0, name: '' } })),
      );
      expect(ground.netkit('map', 'diff', 'grown/services', path).status).toBe(0);
    });
  });

  describe('is refused, with everything as it was,', () => {
    it('where members moved, went or changed, field by field', () => {
      const refused = ground.refuses(5, 'map', 'copy', 'old/services', 'moved/services', '--json');
      const { code, message, details } = errorOf(refused);
      expect(code).toBe('conflict');
      expect(message).toMatch(/^entries of old\/services do not fit into services: value\./);
      expect(details.differences).toEqual(
        expect.arrayContaining([
          expect.objectContaining({
            path: 'packets',
            about: expect.stringMatching(/at byte 0 and is .* at byte 8/),
          }),
          expect.objectContaining({ path: 'limits.rate', about: expect.stringMatching(/__?u32.*__?u64/) }),
          expect.objectContaining({ path: 'limits.burst', about: expect.stringMatching(/is gone/) }),
        ]),
      );
      const text = ground.refuses(5, 'map', 'copy', 'old/services', 'moved/services');
      expect(text.stderr).toMatch(/hint: .*value\.limits\.burst .*is gone/);
      expect(raw('moved/services')).toEqual([]);
    });

    it('where members would be lost', () => {
      ground.does('map', 'update', 'grown/services', '4', 'packets=4,note=1');
      const result = ground.refuses(5, 'map', 'copy', 'grown/services', 'old/services');
      expect(result.stderr).toMatch(/value\.note .*is gone/);
      const path = join(folder, 'grown.nkmap');
      ground.does('map', 'export', 'grown/services', path);
      expect(ground.refuses(5, 'map', 'import', 'old/services', path).stderr).toMatch(
        /value\.note .*is gone/,
      );
      expect(raw('old/services')).toHaveLength(3);
    });

    it('where keys are of another type, since zeros behind a key make another key', () => {
      const path = join(folder, 'v4.nkmap');
      ground.does('map', 'export', 'many/prefixes_v4', path);
      const differs = /do not fit into prefixes_v6: key\.\w+.* was .* and is .*/;
      for (const args of [
        ['copy', 'many/prefixes_v4', 'many/prefixes_v6'],
        ['import', 'many/prefixes_v6', path],
        ['diff', 'many/prefixes_v6', 'many/prefixes_v4'],
        ['diff', 'many/prefixes_v6', path],
      ])
        expect(ground.refuses(5, 'map', ...args).stderr, args.join(' ')).toMatch(differs);
      expect(dump('many/prefixes_v6')).toEqual([]);
    });

    it('where a snapshot has references of another boot', () => {
      const path = join(folder, 'tenants.nkmap');
      ground.does('map', 'export', 'many/tenants', path);
      ground.does('map', 'import', 'many/tenants', path);
      const bytes = readFileSync(path);
      const at = bytes.indexOf(bootId());
      expect(at).toBeGreaterThan(0);
      bytes.write(bytes.toString('latin1', at, at + 1) === '0' ? '1' : '0', at, 'latin1');
      const { length } = snapshotHeader(readFileSync(path));
      const words = new Uint32Array(Uint8Array.from(bytes.subarray(0, length)).buffer);
      bytes.writeUInt32LE(checksum(words, 0, length / 4 - 2, 0), length - 8);
      const foreign = join(folder, 'foreign.nkmap');
      writeFileSync(foreign, bytes);
      for (const command of ['import', 'diff']) {
        const { stderr } = ground.refuses(5, 'map', command, 'many/tenants', foreign);
        expect(stderr).toContain(`${foreign}: its entries are ids of maps, of another boot or machine\n`);
        expect(stderr).toContain(
          'hint: export the map as NDJSON, and name them by function, as FUNCTION/MAP\n',
        );
      }
    });

    it('between kinds of maps', () => {
      expect(ground.refuses(5, 'map', 'copy', 'old/services', 'array/services').stderr).toMatch(
        /a map of type hash is not one of type array/,
      );
      expect(ground.refuses(5, 'map', 'copy', 'grown/counters', 'old/counters').stderr).toMatch(
        /8 entries, not 4/,
      );
    });

    it('where they are more than the target holds, all or nothing if wanted', () => {
      const full = ground.refuses(5, 'map', 'copy', 'old/services', 'tiny/services', '--atomic');
      expect(full.stderr).toMatch(/services is full: it holds 2 entries \(the map is as it was\)$/m);
      expect(raw('tiny/services')).toEqual([]);
      expect(ground.refuses(5, 'map', 'copy', 'old/services', 'tiny/services').stderr).toMatch(
        /is full: it holds 2 entries \(2 entries were written, 1 was not\)$/m,
      );
    });

    it('onto itself', () => {
      expect(ground.refuses(2, 'map', 'copy', 'old/services', 'old/services').stderr).toMatch(/the same map/);
    });
  });
});
