import { existsSync, rmdirSync, rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { documents } from '../../src/cli/schema/documents.js';
import { listPins } from '../support/bpffs.js';
import { describeAsRoot } from '../support/requirements.js';
import { bpftool, bpftoolDump, documentOf, fixture, littleEndian } from './ground.js';
import { creationGround, typed } from './map-ground.js';
import { notFound } from './refusal.js';

describeAsRoot('map create', () => {
  const on = creationGround();
  const { create, pinOf, refused } = on;
  const show = (name: string) =>
    documentOf(documents['map show'], on.ground.does('map', 'show', pinOf(name), '--json'));

  describe('of words', () => {
    it('makes a map whose entries later commands and bpftool read without being told the types', () => {
      create('hosts', ...typed('hash', 'ipv4', 'u64'));
      on.ground.does('map', 'update', pinOf('hosts'), '10.0.0.1', '5');
      expect(on.ground.entry(pinOf('hosts'), '10.0.0.1')).toBe(5);
      expect(bpftoolDump(pinOf('hosts'))).toEqual([{ key: '0a000001', value: littleEndian(5, 8) }]);
      expect(show('hosts')).toMatchObject({ keyForm: '10.0.0.1', map: { name: 'hosts', type: 'hash' } });
    });

    it.each([
      ['u8', '255', 'ff'],
      ['s16', '-2', 'feff'],
      ['u32', '0x10', '10000000'],
      ['s64', '-1', 'ffffffffffffffff'],
      ['be16', '443', '01bb'],
      ['be32', '1', '00000001'],
      ['be64', '1', '0000000000000001'],
      ['ipv6', '2001:db8::1', '20010db8000000000000000000000001'],
      ['mac', '02:00:00:00:00:01', '020000000001'],
      ['string:4', 'ab', '61620000'],
      ['bytes:3', 'hex:0a0b0c', '0a0b0c'],
    ])('takes %s for keys and values, written as %s and stored as %s', (word, text, hex) => {
      create('map', ...typed('hash', word, word));
      on.ground.does('map', 'update', pinOf('map'), '--', text, text);
      expect(bpftoolDump(pinOf('map'))).toEqual([{ key: hex, value: hex }]);
      const printed = documentOf(
        documents['map get'],
        on.ground.does('map', 'get', pinOf('map'), '--json', '--', text),
      );
      expect(String(printed.value)).toBe(text.startsWith('0x') ? '16' : text);
      expect(printed.key).toEqual(printed.value);
    });

    it.each([
      ['prefix4', '10.0.0.0/8', '10.1.2.3'],
      ['prefix6', '2001:db8::/32', '2001:db8::7'],
    ])('makes a map of prefixes of %s', (word, prefix, address) => {
      create('nets', ...typed('lpm_trie', word, 'u32'));
      on.ground.does('map', 'update', pinOf('nets'), prefix, '7');
      expect(on.ground.does('map', 'lookup', pinOf('nets'), address).stdout).toBe(`${prefix} 7\n`);
      expect(show('nets').map.flags).toEqual(['no_prealloc']);
    });
  });

  it('takes C types from an object file, and keeps them in the kernel', () => {
    create(
      'rules',
      ...typed('hash', 'struct flow', 'struct rule'),
      '--types',
      fixture('maps'),
      '--name',
      'my_rules',
    );
    on.ground.does('map', 'update', pinOf('rules'), 'saddr=10.0.0.1,dport=53', 'DROP');
    expect(on.ground.entry(pinOf('rules'), 'saddr=10.0.0.1,dport=53')).toEqual({ action: 'DROP', note: 0 });
    expect(show('rules')).toMatchObject({
      map: { name: 'my_rules', keyType: 'struct flow', valueType: 'struct rule' },
    });
  });

  it('takes sizes alone', () => {
    create('raw', '--type', 'hash', '--key-size', '4', '--value-size', '2', '--max-entries', '1');
    on.ground.does('map', 'update', pinOf('raw'), 'hex:00000001', 'hex:0203');
    expect(bpftoolDump(pinOf('raw'))).toEqual([{ key: '00000001', value: '0203' }]);
  });

  it.each([
    ['array', ['--value-type', 'u64', '--max-entries', '2']],
    ['percpu_array', ['--value-type', 'u64', '--max-entries', '2']],
    ['lru_hash', typed('lru_hash', 'u32', 'u32').slice(2)],
    ['percpu_hash', typed('percpu_hash', 'u32', 'u32').slice(2)],
    ['lru_percpu_hash', typed('lru_percpu_hash', 'u32', 'u32').slice(2)],
    ['queue', ['--value-type', 'u32', '--max-entries', '2']],
    ['stack', ['--value-type', 'u32', '--max-entries', '2']],
    ['bloom_filter', ['--value-type', 'u32', '--max-entries', '2']],
    ['ringbuf', ['--max-entries', '65536']],
    ['user_ringbuf', ['--max-entries', '65536']],
    ['perf_event_array', []],
    ['prog_array', ['--max-entries', '2']],
    ['cgroup_array', ['--max-entries', '2']],
    ['stack_trace', ['--value-size', '128', '--max-entries', '2']],
    ['devmap', ['--max-entries', '2']],
    ['devmap_hash', ['--max-entries', '2']],
    ['cpumap', ['--max-entries', '2']],
    ['xskmap', ['--max-entries', '2']],
    ['sockmap', ['--max-entries', '2']],
    ['sockhash', ['--key-type', 'u32', '--max-entries', '2']],
    ['reuseport_sockarray', ['--max-entries', '2']],
    ['sk_storage', ['--value-type', 'u64']],
    ['task_storage', ['--value-type', 'u64']],
    ['inode_storage', ['--value-type', 'u64']],
    ['cgrp_storage', ['--value-type', 'u64']],
    ['cgroup_storage', ['--key-size', '16', '--value-type', 'u64']],
    ['percpu_cgroup_storage', ['--key-size', '16', '--value-type', 'u64']],
    ['arena', ['--max-entries', '1']],
  ] as const)('makes a %s, or says that this kernel has none', (type, more) => {
    const result = on.ground.netkit('map', 'create', pinOf('map'), '--type', type, ...more, '--json');
    if (result.status === 6) {
      expect(result.stderr).toMatch(type);
      expect(listPins(on.ground.bpffs.root.path)).toEqual([]);
      return;
    }
    expect(`${result.status} ${result.stderr}`).toBe('0 ');
    const { map } = show('map');
    expect(map.type).toBe(type);
    expect(bpftool('map', 'show', 'pinned', pinOf('map'))).toMatchObject({ id: map.id });
  });

  describe('of a map of maps', () => {
    it('takes the shape from an inner map, and only such maps go in', async () => {
      create('inner', ...typed('hash', 'u32', 'u64'));
      create('other', ...typed('hash', 'u32', 'u32'));
      create('outer', '--type', 'array_of_maps', '--max-entries', '2', '--inner', pinOf('inner'));
      on.ground.does('map', 'update', pinOf('outer'), '1', pinOf('inner'));
      expect(on.ground.entry(pinOf('outer'), '1')).toBe(`id:${show('inner').map.id}`);
      const wrong = on.ground.netkit('map', 'update', pinOf('outer'), '0', pinOf('other'));
      expect([2, 6]).toContain(wrong.status);
      expect(on.ground.netkit('map', 'get', pinOf('outer'), '0').status).toBe(3);
    });

    it('refuses an inner map that is not there', async () => {
      await refused(
        [
          'map',
          'create',
          pinOf('outer'),
          '--type',
          'array_of_maps',
          '--max-entries',
          '2',
          '--inner',
          pinOf('no'),
        ],
        { ...notFound, says: /no pin/ },
      );
    });
  });

  it('gives a function a map of its own in place of the declared one', () => {
    create('shared', '--type', 'array', '--value-type', 'u64', '--max-entries', '8');
    on.ground.does('load', fixture('maps'), '--name', 'maps', '--reuse', `counts=${pinOf('shared')}`);
    on.ground.does('map', 'update', 'maps/counts', '3', '33');
    expect(on.ground.entry(pinOf('shared'), '3')).toBe(33);
    on.ground.does('unload', 'maps');
    expect(on.ground.entry(pinOf('shared'), '3')).toBe(33);
  });

  it('makes the folders above the pin, and leaves none behind when it fails', async () => {
    create('a/b/hosts', ...typed('hash', 'u32', 'u32'));
    expect(listPins(on.ground.bpffs.root.path)).toEqual(['a/b/hosts']);
    rmSync(pinOf('a/b/hosts'));
    rmdirSync(pinOf('a/b'));
    rmdirSync(pinOf('a'));
    // A name that bpffs refuses at the very end.
    const result = on.ground.netkit(
      'map',
      'create',
      pinOf(`a/b/${'x'.repeat(256)}`),
      ...typed('hash', 'u32', 'u32'),
    );
    expect(result.status).not.toBe(0);
    expect(existsSync(pinOf('a'))).toBe(false);
  });

  it('with --dry-run says what it would do and makes nothing', () => {
    const result = create('a/hosts', ...typed('hash', 'u32', 'u32'), '--dry-run', '--json');
    const document = documentOf(documents['map create'], result);
    expect(document).toMatchObject({
      dryRun: true,
      map: { id: null, type: 'hash', name: 'hosts', keySize: 4 },
    });
    expect(document.actions.map(({ kind }) => kind)).toEqual(['create', 'mkdir', 'pin']);
    expect(existsSync(pinOf('a'))).toBe(false);
  });

  it('cuts the name in the kernel from the name of the pin', () => {
    create('a-name-longer-than-fifteen', ...typed('hash', 'u32', 'u32'));
    expect(show('a-name-longer-than-fifteen').map.name).toBe('a_name_longer_t');
  });
});
