import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { documents } from '../../src/cli/schema/documents.js';
import { cgroupRoot } from '../../src/host/cgroup.js';
import { describeAsRoot } from '../support/requirements.js';
import { bpftoolDump, documentOf } from './ground.js';
import { entriesGround } from './map-ground.js';
import { badValue, notFound, unsupported, usage } from './refusal.js';

describeAsRoot('types and names of entries', () => {
  const on = entriesGround();
  const { pinOf, refused, says } = on;

  describe('--field', () => {
    it('gives members the byte order that their types do not tell, in keys and values', () => {
      const fields = ['--field', 'key.port=be16', '--field', 'weight=be16'];
      on.ground.does(
        'map',
        'update',
        't/services',
        'addr=10.0.0.1,port=443',
        'port=8080,weight=5',
        ...fields,
      );
      expect(bpftoolDump(pinOf('services'))).toEqual([
        { key: '0a000001' + '01bb' + '0000', value: '00000000' + '901f' + '0005' },
      ]);
      const read = on.ground.does('map', 'get', 't/services', 'addr=10.0.0.1,port=443', '--json', ...fields);
      expect(documentOf(documents['map get'], read)).toMatchObject({
        key: { port: 443 },
        value: { port: 8080, weight: 5 },
      });
      expect(on.ground.netkit('map', 'get', 't/services', 'addr=10.0.0.1,port=443').status).toBe(3);
      on.ground.does('map', 'delete', 't/services', 'addr=10.0.0.1,port=443', '--field', 'port=be16');
    });

    it('means both parts where both have the member', () => {
      on.ground.does('map', 'update', 't/services', 'port=1', 'port=1', '--field', 'port=be16');
      expect(bpftoolDump(pinOf('services'))).toEqual([
        { key: '00000000' + '0001' + '0000', value: '00000000' + '0001' + '0000' },
      ]);
    });

    it('works on a queue, whose types come from the stored object', () => {
      on.ground.does('map', 'push', 't/jobs', 'port=1', '--field', 'port=be16');
      expect(says('map', 'peek', 't/jobs')).toMatch(/"port":256,/);
      expect(says('map', 'peek', 't/jobs', '--field', 'port=be16')).toMatch(/"port":1,/);
    });

    it('is refused for members that are not there, of another width, or without types', async () => {
      const get = (...more: string[]) => ['map', 'get', 't/services', 'port=1', ...more];
      await refused(get('--field', 'prt=be16'), { ...badValue, says: /no member 'prt'/, hints: /'port'/ });
      await refused(get('--field', 'port=be32'), { ...badValue, says: /'port' of 32 bits/ });
      await refused(get('--field', 'protocol=be16'), { ...badValue, says: /'protocol' of 16 bits/ });
      await refused(get('--field', 'port=le16'), { ...usage, says: /'le16' is no byte order/ });
      await refused(get('--field', 'port'), { ...usage, says: /MEMBER=ORDER/ });
      await refused(get('--field', 'port=be16', '--field', 'port=be16'), { ...usage, says: /given twice/ });
      await refused(['map', 'get', 'maps/counts', '1', '--field', 'port=be16'], {
        ...badValue,
        says: /no member 'port'/,
      });
    });
  });

  describe('entries that belong to something else', () => {
    const path = () => join(on.ground.bpffs.root.path, 'other');
    const create = (...options: string[]) => on.ground.does('map', 'create', path(), '--type', ...options);
    afterEach(() => rmSync(path(), { force: true }));

    it('of a process are named by its number', async () => {
      create('task_storage', '--value-type', 'u64');
      const key = `pid:${process.pid}`;
      on.ground.does('map', 'update', path(), key, '7');
      expect(on.ground.entry(path(), key)).toBe(7);
      on.ground.does('map', 'delete', path(), key);
      await refused(['map', 'get', path(), key], { ...notFound, says: /no entry pid:/ });
      await refused(['map', 'get', path(), '5'], { ...badValue, says: /'5' is not a process/ });
      await refused(['map', 'get', path(), 'pid:2147483647'], { ...notFound, says: /no process 2147483647/ });
      await refused(['map', 'dump', path()], { ...unsupported, says: /lists none/ });
    });

    it('of a file are named by its path', async () => {
      create('inode_storage', '--value-type', 'u64');
      on.ground.does('map', 'update', path(), on.object, '7');
      expect(on.ground.entry(path(), on.object)).toBe(7);
      await refused(['map', 'get', path(), '/etc'], { ...notFound, says: /no entry \/etc/ });
      await refused(['map', 'get', path(), '/nowhere'], { ...notFound, says: /'\/nowhere'/ });
    });

    it('of a cgroup can be put into an array of cgroups, which nobody can read', async () => {
      create('cgroup_array', '--max-entries', '2');
      const folder = cgroupRoot() ?? '';
      on.ground.does('map', 'update', path(), '0', folder);
      expect(says('map', 'delete', path(), '1', '--dry-run')).toBe('would delete 1');
      on.ground.does('map', 'delete', path(), '0');
      await refused(['map', 'delete', path(), '0'], { ...notFound, says: /no entry 0/ });
      await refused(['map', 'get', path(), '0'], { ...unsupported, says: /does not tell which cgroups/ });
      await refused(['map', 'update', path(), '0', '5'], { ...badValue, says: /'5' is not a cgroup/ });
      await refused(['map', 'update', path(), '2', folder], { ...badValue, says: /indices go from 0 to 1/ });
    });

    it('of sockets are never a number that netkit has open itself', async () => {
      create('sockmap', '--max-entries', '2');
      await refused(['map', 'update', path(), '0', '0'], { ...badValue, says: /'0' is not a socket/ });
      await refused(['map', 'update', path(), '0', 'fd:99'], { ...badValue, says: /not open/ });
      await refused(['map', 'get', path(), '0'], { ...notFound, says: /no entry 0/ });
    });
  });

  describe('types that the kernel does not keep', () => {
    it('come from the object that netkit stored, however the map is named', () => {
      on.ground.does('map', 'push', 't/visitors', '10.0.0.1');
      const show = documentOf(documents['map show'], on.ground.does('map', 'show', 't/visitors', '--json'));
      for (const reference of ['t/visitors', `id:${show.map.id}`, pinOf('visitors')]) {
        expect(says('map', 'peek', reference)).toBe('10.0.0.1');
      }
      expect(show).toMatchObject({ keyForm: null, valueForm: '10.0.0.1' });
      on.ground.does('map', 'update', 't/by_service', 'port=53', 't/first');
      expect(says('map', 'get', 't/by_service', 'port=53')).toMatch(/^id:\d+$/);
      on.ground.does('map', 'update', 't/devices', '5', '1');
      expect(on.ground.entry('t/devices', '5')).toBe(1);
    });

    it('are bytes where the map belongs to no function', () => {
      const path = join(on.ground.bpffs.root.path, 'kept');
      on.ground.does('map', 'push', 't/visitors', '10.0.0.1');
      on.ground.does('map', 'pin', 't/visitors', path);
      on.ground.does('unload', 't');
      expect(says('map', 'peek', path)).toBe('hex:0a000001');
      expect(says('map', 'peek', path, '--value-type', 'ipv4')).toBe('10.0.0.1');
      rmSync(path);
    });
  });
});
