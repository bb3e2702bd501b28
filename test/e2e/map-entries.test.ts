import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { documents } from '../../src/cli/schema/documents.js';
import { describeAsRoot } from '../support/requirements.js';
import { documentOf } from './ground.js';
import { entriesGround } from './map-ground.js';
import { badValue, conflict, notFound, notPermitted, unsupported, usage } from './refusal.js';

describeAsRoot('entries', () => {
  const on = entriesGround();
  const { pinOf, refused, says } = on;

  describe('map lookup', () => {
    const lookup = (key: string, ...more: string[]) =>
      documentOf(
        documents['map lookup'],
        on.ground.does('map', 'lookup', 'maps/prefixes_v4', key, '--json', ...more),
      );

    it('finds the longest prefix that contains the key, and says which that was', () => {
      for (const [prefix, note] of [
        ['10.0.0.0/8', 8],
        ['10.1.0.0/16', 16],
        ['10.1.2.0/24', 24],
        ['11.0.0.0/8', 11],
      ] as const) {
        on.ground.does(
          'map',
          'update',
          'maps/prefixes_v4',
          prefix,
          `DROP,note=${note}`.replace('DROP', 'action=DROP'),
        );
      }
      expect(lookup('10.1.2.3')).toMatchObject({
        key: '10.1.2.3/32',
        matched: '10.1.2.0/24',
        value: { note: 24 },
      });
      expect(lookup('10.1.3.3')).toMatchObject({ matched: '10.1.0.0/16', value: { note: 16 } });
      expect(lookup('10.1.2.0/23')).toMatchObject({ key: '10.1.2.0/23', matched: '10.1.0.0/16' });
      expect(lookup('10.0.0.0/8')).toMatchObject({ matched: '10.0.0.0/8', certain: true });
      expect(says('map', 'lookup', 'maps/prefixes_v4', '10.9.9.9')).toBe(
        '10.0.0.0/8 {"action":"DROP","note":8}',
      );
    });

    it('refuses what no prefix contains, and a prefix with host bits', async () => {
      on.ground.does('map', 'update', 'maps/prefixes_v4', '10.0.0.0/8', 'DROP');
      await refused(['map', 'lookup', 'maps/prefixes_v4', '9.255.255.255'], {
        ...notFound,
        says: /no prefix in maps\/prefixes_v4 contains 9\.255\.255\.255\/32/,
      });
      await refused(['map', 'lookup', 'maps/prefixes_v4', '11.0.0.0/7'], { ...badValue, says: /host bits/ });
      await refused(['map', 'lookup', 'maps/prefixes_v4', '8.0.0.0/6'], {
        ...notFound,
        says: /8\.0\.0\.0\/6/,
      });
      await refused(['map', 'lookup', 'maps/prefixes_v4', '2001:db8::1'], { ...badValue, says: /IPv6/ });
    });

    it('of another map is the entry of that key', () => {
      on.ground.does('map', 'update', 'maps/counts', '3', '33');
      expect(
        documentOf(documents['map lookup'], on.ground.does('map', 'lookup', 'maps/counts', '3', '--json')),
      ).toEqual({
        map: expect.anything(),
        key: 3,
        value: 33,
        perCpu: null,
        matched: 3,
        certain: true,
      });
    });

    it('asks a bloom filter, which says maybe or surely not', async () => {
      expect(says('map', 'push', 't/seen', '10.0.0.1')).toBe('10.0.0.1');
      expect(says('map', 'lookup', 't/seen', '10.0.0.1')).toBe('10.0.0.1 may be in t/seen');
      const document = documentOf(
        documents['map lookup'],
        on.ground.does('map', 'lookup', 't/seen', '10.0.0.1', '--json'),
      );
      expect(document).toMatchObject({ key: '10.0.0.1', value: null, matched: null, certain: false });
      await refused(['map', 'lookup', 't/seen', '10.0.0.2'], {
        ...notFound,
        says: /10\.0\.0\.2 is surely not in t\/seen/,
      });
    });
  });

  describe('a queue or stack', () => {
    it('gives back what was pushed, first in first out or last', async () => {
      on.ground.does('map', 'push', 't/jobs', 'addr=10.0.0.1,port=1');
      on.ground.does('map', 'push', 't/jobs', 'addr=10.0.0.2,port=2');
      expect(says('map', 'peek', 't/jobs')).toBe('{"addr":"10.0.0.1","port":1,"weight":0}');
      expect(says('map', 'pop', 't/jobs', '--dry-run')).toMatch(/^would take .*10\.0\.0\.1/);
      expect(
        documentOf(documents['map pop'], on.ground.does('map', 'pop', 't/jobs', '--json')),
      ).toMatchObject({
        value: { addr: '10.0.0.1', port: 1 },
        actions: [{ kind: 'pop' }],
      });
      expect(says('map', 'pop', 't/jobs')).toMatch(/10\.0\.0\.2/);
      on.ground.does('map', 'push', 't/visitors', '10.0.0.1');
      on.ground.does('map', 'push', 't/visitors', '10.0.0.2');
      expect(says('map', 'pop', 't/visitors')).toBe('10.0.0.2');
      expect(says('map', 'peek', 't/visitors')).toBe('10.0.0.1');
    });

    it('that is full refuses, or throws out the oldest when told to', async () => {
      for (const address of ['10.0.0.1', '10.0.0.2']) on.ground.does('map', 'push', 't/visitors', address);
      await refused(['map', 'push', 't/visitors', '10.0.0.3'], {
        ...conflict,
        says: /full/,
        hints: /--evict/,
      });
      on.ground.does('map', 'push', 't/visitors', '10.0.0.3', '--evict');
      expect(says('map', 'pop', 't/visitors')).toBe('10.0.0.3');
      expect(says('map', 'pop', 't/visitors')).toBe('10.0.0.2');
    });

    it('that is empty has nothing to give', async () => {
      await refused(['map', 'pop', 't/jobs'], { ...notFound, says: /t\/jobs is empty/ });
      await refused(['map', 'peek', 't/jobs'], { ...notFound, says: /t\/jobs is empty/ });
      const taken = documentOf(
        documents['map pop'],
        on.ground.does('map', 'pop', 't/jobs', '--if-exists', '--json'),
      );
      expect(taken).toMatchObject({ value: null, actions: [] });
    });

    it('writes nothing on a dry run', () => {
      expect(says('map', 'push', 't/visitors', '10.0.0.1', '--dry-run')).toBe('would push 10.0.0.1');
      expect(on.ground.netkit('map', 'peek', 't/visitors').status).toBe(3);
    });

    it('refuses values that do not fit, and commands for keys', async () => {
      await refused(['map', 'push', 't/visitors', '10.0.0'], { ...badValue, says: /10\.0\.0/ });
      await refused(['map', 'push', 't/visitors', 'hex:00'], { ...badValue, says: /has 4/ });
      await refused(['map', 'push', 't/jobs', 'prt=1'], { ...badValue, says: /prt/, hints: /'port'/ });
      await refused(['map', 'push', 't/jobs'], { ...usage, says: /VALUE is missing/ });
      await refused(['map', 'push', 't/jobs', '1', '2'], { ...usage, says: /too many arguments/ });
      await refused(['map', 'push', 't/seen', '10.0.0.1', '--evict'], { ...usage, says: /bloom filter/ });
      for (const words of [
        ['get', 't/jobs', '0'],
        ['update', 't/jobs', '0', '0'],
        ['delete', 't/jobs', '0'],
      ]) {
        await refused(['map', ...words], { ...unsupported, says: /queue.*push, pop and peek/ });
      }
      await refused(['map', 'pop', 't/seen'], {
        ...unsupported,
        says: /bloom_filter.*push adds one, lookup asks/,
      });
      await refused(['map', 'push', 't/services', '1'], { ...unsupported, says: /have keys/ });
      await refused(['map', 'peek', 'maps/events'], { ...unsupported, says: /ringbuf.*stream of records/ });
    });
  });

  describe('map freeze', () => {
    it('makes a map read-only for user space for good, and every later write says so', async () => {
      on.ground.does('map', 'update', 't/first', '1', '1');
      expect(says('map', 'freeze', 't/first', '--dry-run')).toMatch(/^would freeze/);
      on.ground.does('map', 'update', 't/first', '1', '2');
      expect(says('map', 'freeze', 't/first')).toMatch(/never write it again/);
      for (const words of [
        ['update', 't/first', '1', '3'],
        ['update', 't/first', '1', '3', '--dry-run'],
        ['delete', 't/first', '1'],
        ['delete', 't/first', '1', '--dry-run'],
      ]) {
        await refused(['map', ...words], { ...notPermitted, says: /frozen/ });
      }
      expect(on.ground.entry('t/first', '1')).toBe(2);
      expect(says('map', 'freeze', 't/first')).toMatch(/frozen already/);
      expect(says('map', 'show', 't/first')).toMatch(/^access: +frozen: user space only reads it/m);
    });

    it('of a queue forbids push and pop, but not peek', async () => {
      on.ground.does('map', 'push', 't/visitors', '10.0.0.1');
      on.ground.does('map', 'freeze', 't/visitors');
      await refused(['map', 'push', 't/visitors', '10.0.0.2'], { ...notPermitted, says: /frozen/ });
      await refused(['map', 'pop', 't/visitors'], { ...notPermitted, says: /frozen/ });
      await refused(['map', 'pop', 't/visitors', '--dry-run'], { ...notPermitted, says: /frozen/ });
      expect(says('map', 'peek', 't/visitors')).toBe('10.0.0.1');
    });
  });

  describe('map pin', () => {
    it('keeps a map beyond its function, and is done when it is done', () => {
      const path = join(on.ground.bpffs.root.path, 'mine/first');
      on.ground.does('map', 'update', 't/first', '1', '1');
      expect(says('map', 'pin', 't/first', path, '--dry-run')).toMatch(/^would pin/);
      expect(existsSync(join(on.ground.bpffs.root.path, 'mine'))).toBe(false);
      on.ground.does('map', 'pin', 't/first', path);
      expect(says('map', 'pin', 't/first', path)).toMatch(/already$/);
      on.ground.does('unload', 't');
      expect(on.ground.entry(path, '1')).toBe(1);
      rmSync(join(on.ground.bpffs.root.path, 'mine'), { recursive: true });
    });

    it('refuses a path that is taken or netkit’s own', async () => {
      const path = join(on.ground.bpffs.root.path, 'taken');
      on.ground.does('map', 'pin', 't/first', path);
      await refused(['map', 'pin', 't/services', path], { ...conflict, says: /taken already/ });
      rmSync(path);
      await refused(['map', 'pin', 't/services', pinOf('other')], {
        ...usage,
        says: /keeps for its functions/,
      });
      await refused(['map', 'pin', 't/nothing', path], { ...notFound, says: /'nothing'/ });
      await refused(['map', 'pin', 't/services', '/etc/passwd'], {
        ...usage,
        says: /not in a bpf file system/,
      });
      await refused(['map', 'pin', 't/services', 'services'], { ...usage, says: /not an absolute path/ });
    });
  });

  describe('a spin lock in the value', () => {
    it('is taken for reading and writing when asked for', () => {
      on.ground.does('map', 'update', 't/guarded', '1', 'generation=1,packets=7', 'lock');
      on.ground.does('map', 'update', 't/guarded', '1', 'generation=2,packets=8', 'lock');
      const read = on.ground.does('map', 'get', 't/guarded', '1', '--lock', '--json');
      expect(documentOf(documents['map get'], read).value).toMatchObject({ generation: 2, packets: 8 });
      expect(says('map', 'lookup', 't/guarded', '1', '--lock')).toMatch(/"packets":8/);
    });

    it('is missed where there is none', async () => {
      on.ground.does('map', 'update', 't/first', '1', '1');
      const { status, code } = unsupported;
      await refused(['map', 'update', 't/first', '1', '2', 'lock'], { status, code, says: /bpf_spin_lock/ });
      await refused(['map', 'get', 't/first', '1', '--lock'], { status, code, says: /bpf_spin_lock/ });
      expect(on.ground.entry('t/first', '1')).toBe(1);
      await refused(['map', 'update', 't/by_service', 'port=1', 't/first', 'lock'], {
        status,
        code,
        says: /no lock to take/,
      });
    });
  });

  describe('map show', () => {
    it('says how entries are written and which commands there are, with the reason for those that are not', () => {
      const text = says('map', 'show', 'maps/counts');
      expect(text).toMatch(/^key: +.*u32, 4 bytes: u32$/m);
      expect(text).toMatch(/^commands: +get, lookup, update, dump, export, import, diff, copy, watch$/m);
      expect(text).toMatch(/^not: +delete: its entries are always there/m);
      const queue = documentOf(documents['map show'], on.ground.does('map', 'show', 't/jobs', '--json'));
      const works = queue.operations.filter((each) => each.works).map(({ name }) => name);
      expect(works).toEqual(['push', 'pop', 'peek', 'import']);
      for (const { works: does, reason } of queue.operations) expect(reason === null).toBe(does);
      const ring = says('map', 'show', 'maps/events');
      expect(ring).toMatch(/^commands: +watch$/m);
      expect(ring).toMatch(/^size: +4096 bytes$/m);
    });
  });

  describe('conditions of map update', () => {
    it('are no more than the four words', async () => {
      await refused(['map', 'update', 't/first', '1', '1', 'always'], {
        ...usage,
        says: /'always' is none of/,
      });
      await refused(['map', 'update', 't/first', '1'], { ...usage, says: /VALUE is missing/ });
      await refused(['map', 'update', 't/first', '1', '1', 'any', 'any'], {
        ...usage,
        says: /too many arguments/,
      });
      await refused(['map', 'update', 't/first', '9', '1', 'exist'], { ...notFound, says: /no entry 9/ });
      await refused(['map', 'update', 't/first', '9', '1', 'exist', '--dry-run'], {
        ...notFound,
        says: /no entry 9/,
      });
      on.ground.does('map', 'update', 't/first', '9', '1', 'noexist');
      await refused(['map', 'update', 't/first', '9', '1', 'noexist'], {
        ...conflict,
        says: /t\/first has an entry 9 already/,
      });
    });
  });
});
