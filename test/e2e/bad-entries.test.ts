import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scope } from '../../src/base/scope.js';
import { describeAsRoot } from '../support/requirements.js';
import { fixture, type Ground, makeGround } from './ground.js';
import { badValue, conflict, expectRefused, notFound, type Refusal, unsupported, usage } from './refusal.js';

describeAsRoot('an entry or a reference that is wrong is refused, and the map stays as it was:', () => {
  const owned = new Scope();
  let ground: Ground;

  beforeAll(() => {
    ground = owned.use(makeGround());
    ground.does(
      'load',
      fixture('maps'),
      '--name',
      'maps',
      '--map-size',
      'prefixes_v4=2',
      '--map-size',
      'percpu_flows=2',
    );
    ground.does('map', 'update', 'maps/prefixes_v4', '10.0.0.0/8', 'DROP');
    ground.does('map', 'update', 'maps/counts', '3', '33');
  });
  afterAll(() => owned[Symbol.dispose]());

  const refused = (args: readonly string[], refusal: Refusal) => expectRefused(ground, args, refusal);
  const update = (map: string, key: string, value: string) => [
    'map',
    'update',
    `maps/${map}`,
    '--',
    key,
    value,
  ];

  describe('a key', () => {
    it('of the wrong width', async () => {
      await refused(update('counts', 'hex:00', '1'), { ...badValue, says: /has 4/ });
      await refused(update('counts', 'hex:0000000000', '1'), { ...badValue, says: /has 4/ });
      await refused(['map', 'get', 'maps/counts', 'hex:00'], { ...badValue, says: /has 4/ });
      await refused(['map', 'delete', 'maps/prefixes_v4', 'hex:080000000a0000'], {
        ...badValue,
        says: /has 8/,
      });
    });

    it('of hexadecimal digits that are odd or none', async () => {
      await refused(update('counts', 'hex:000', '1'), { ...badValue, says: /hex/ });
      await refused(update('counts', 'hex:zz000000', '1'), { ...badValue, says: /hex/ });
    });

    it('out of range', async () => {
      await refused(update('counts', '4294967296', '1'), { ...badValue, says: /4294967296.*4294967295/ });
      await refused(update('counts', '-1', '1'), { ...badValue, says: /-1/ });
    });

    it('that is no number', async () => {
      for (const key of ['three', '', '1e3', '0b1', '1_000']) {
        await refused(update('counts', key, '1'), { ...badValue, says: /./ });
      }
    });

    it('that is a prefix with host bits, and names the network meant', async () => {
      await refused(update('prefixes_v4', '10.1.2.3/8', 'DROP'), {
        ...badValue,
        says: /10\.1\.2\.3\/8.*10\.0\.0\.0\/8/,
      });
      await refused(update('prefixes_v6', '2001:db8::1/32', 'DROP'), {
        ...badValue,
        says: /2001:db8::1\/32.*2001:db8::\/32/,
      });
    });

    it('that is no prefix', async () => {
      for (const key of [
        '10.0.0.0/33',
        '10.0.0/8',
        '010.0.0.0/8',
        '10.0.0.0/-1',
        '10.0.0.0/8/8',
        '::/8',
        '10.0.0.256/32',
      ]) {
        await refused(update('prefixes_v4', key, 'DROP'), { ...badValue, says: /./ });
      }
    });

    it('that a struct does not have a member of', async () => {
      const key = '{"saddr":"10.0.0.1","sprt":1}';
      await refused(update('flows', key, '{"packets":1}'), {
        ...badValue,
        says: /sprt/,
        hints: /did you mean 'sport'/,
      });
      await refused(update('flows', '{"saddr":', '1'), { ...badValue, says: /./ });
    });

    it('that is not there', async () => {
      await refused(['map', 'get', 'maps/prefixes_v4', '11.0.0.0/8'], {
        ...notFound,
        says: /11\.0\.0\.0\/8/,
      });
      await refused(['map', 'delete', 'maps/prefixes_v4', '11.0.0.0/8'], {
        ...notFound,
        says: /11\.0\.0\.0\/8/,
      });
      await refused(['map', 'get', 'maps/counts', '8'], { ...notFound, says: /8/ });
    });

    it('of the wrong number', async () => {
      await refused(['map', 'get', 'maps/counts'], { ...usage, says: /KEY is missing/ });
      await refused(['map', 'get', 'maps/counts', '1', '2'], { ...usage, says: /too many arguments/ });
      await refused(['map', 'update', 'maps/counts', '1'], { ...usage, says: /VALUE is missing/ });
      await refused(['map', 'delete', 'maps/counts'], { ...usage, says: /KEY is missing/ });
      await refused(['map', 'lookup', 'maps/counts'], { ...usage, says: /KEY is missing/ });
    });

    it('beyond the end of an array', async () => {
      await refused(update('counts', '8', '1'), { ...badValue, says: /8/ });
    });
  });

  describe('a value', () => {
    it('out of range', async () => {
      await refused(update('counts', '3', '18446744073709551616'), {
        ...badValue,
        says: /18446744073709551616/,
      });
      await refused(update('counts', '3', '-1'), { ...badValue, says: /-1/ });
      await refused(update('prefixes_v4', '10.0.0.0/8', '{"action":"DROP","note":4294967296}'), {
        ...badValue,
        says: /note.*4294967296/,
      });
    });

    it('that an enum does not have', async () => {
      await refused(update('prefixes_v4', '10.0.0.0/8', 'DRP'), { ...badValue, says: /DRP/, hints: /DROP/ });
    });

    it('of the wrong width', async () => {
      await refused(update('counts', '3', 'hex:01'), { ...badValue, says: /has 8/ });
    });
  });

  describe('a map', () => {
    it('that is full', async () => {
      ground.does('map', 'update', 'maps/percpu_flows', '1', '1');
      ground.does('map', 'update', 'maps/percpu_flows', '2', '1');
      await refused(update('percpu_flows', '3', '1'), { ...conflict, says: /full/ });
      ground.does('map', 'update', 'maps/prefixes_v4', '11.0.0.0/8', 'DROP');
      await refused(update('prefixes_v4', '12.0.0.0/8', 'DROP'), { ...conflict, says: /full/ });
    });

    it('that is not there', async () => {
      await refused(['map', 'get', 'maps/count', '1'], {
        ...notFound,
        says: /'count'/,
        hints: /did you mean 'counts'/,
      });
      await refused(['map', 'dump', 'mapz/counts'], {
        ...notFound,
        says: /'mapz'/,
        hints: /did you mean 'maps'/,
      });
      await refused(['map', 'get', 'id:2147483647', '1'], { ...notFound, says: /2147483647/ });
      await refused(['map', 'get', 'name:nobody_has_this', '1'], { ...notFound, says: /nobody_has_this/ });
      await refused(['map', 'get', '/sys/fs/bpf/nowhere', '1'], {
        ...notFound,
        says: /\/sys\/fs\/bpf\/nowhere/,
      });
    });

    it('by a reference that is none', async () => {
      for (const reference of ['id:', 'id:0', 'id:x', 'id:99999999999', 'a/b/c', 'A/b', 'maps/', '../x']) {
        await refused(['map', 'dump', reference], { ...usage, says: /./ });
      }
    });

    it('by a pin that is a program, or no pin at all', async () => {
      const program = `${ground.bpffs.root.path}/netkit/maps/progs/maps`;
      await refused(['map', 'dump', program], { ...usage, says: /program/ });
      await refused(['map', 'dump', '/etc/passwd'], { ...usage, says: /\/etc\/passwd/ });
    });

    it('without entries to read', async () => {
      for (const words of [
        ['get', 'maps/events', '1'],
        ['update', 'maps/events', '1', '1'],
        ['pop', 'maps/events'],
      ]) {
        await refused(['map', ...words], { ...unsupported, says: /ringbuf.*stream of records/ });
      }
      await refused(['map', 'get', 'maps/queue', '0'], { ...unsupported, says: /queue.*no keys/ });
      await refused(['map', 'get', 'maps/samples', '0'], { ...unsupported, says: /perf events/ });
      await refused(['map', 'delete', 'maps/counts', '0'], {
        ...unsupported,
        says: /always there.*zero value/,
      });
    });

    it('with a type for its keys that is unknown or of another width', async () => {
      const get = (...more: string[]) => ['map', 'get', 'maps/counts', '1', ...more];
      await refused(get('--key-type', 'u33'), { ...usage, says: /'?u33/ });
      await refused(get('--key-type', 'u64'), { ...usage, says: /u64 has 8 bytes.*4/ });
      await refused(get('--key-type', 'struct flow'), { ...usage, says: /--types/ });
    });
  });

  it('the entries are what they were', () => {
    expect(ground.entry('maps/counts', '3')).toBe(33);
    expect(ground.entry('maps/prefixes_v4', '10.0.0.0/8')).toMatchObject({ action: 'DROP', note: 0 });
  });
});
