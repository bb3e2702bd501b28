import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CommandName, commands } from '../../src/cli/table/index.js';
import { makeBpffs, type TestBpffs } from '../support/bpffs.js';
import { netkit } from '../support/cli.js';
import { makeVethPair, type VethPair } from '../support/netns.js';
import { describeAsRoot } from '../support/requirements.js';
import { expectValid } from '../support/schema.js';

/**
 * One life of a function, with every command of the table once and more: whatever prints JSON is held against its
 * schema, which must be closed. What was not run fails the last test.
 */
describeAsRoot('the JSON of every command', () => {
  const covered = new Set<CommandName>();
  let bpffs: TestBpffs;
  let pair: VethPair;
  let folder: string;

  beforeAll(() => {
    bpffs = makeBpffs();
    pair = makeVethPair();
    folder = mkdtempSync(join(tmpdir(), 'netkit-json-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
    pair[Symbol.dispose]();
    bpffs[Symbol.dispose]();
  });

  function run(command: CommandName, ...args: string[]): unknown {
    const words = [...command.split(' '), ...args, '--json'];
    const result = netkit(words, { env: bpffs.env, cwd: folder });
    expect(`${result.status} ${result.stderr}`, words.join(' ')).toBe('0 ');
    const document = result.json();
    expectValid(command, document);
    covered.add(command);
    return document;
  }

  it('is what the schemas say while nothing is loaded', () => {
    run('version');
    run('list');
    run('prog list');
    run('map list');
    run('link list');
    run('recover');
    run('unload', 'nothing', '--if-exists');
    run('inspect', 'builtin:firewall');
    run('completion', 'bash');
    run('service show');
    run('service install', '--unit-dir', 'units', '--quiet');
    run('service uninstall', '--unit-dir', 'units');
    run('gen types', 'builtin:firewall');
    run('gen types', 'builtin:firewall', '-o', 'firewall.types.ts');
    run('gen vmlinux', '-o', 'vmlinux.h');
    const doctor = netkit(['doctor', '--json'], { env: bpffs.env });
    expectValid('doctor', doctor.json());
    covered.add('doctor');
    run('doctor', 'builtin:firewall');
    run('feature');
    run('feature', 'lo');
    // What they really say is looked at where they can run: test/e2e/bench-drop.test.ts and its like.
    const drop = readFileSync(join(import.meta.dirname, '../fixtures/bench/drop.json'), 'utf8');
    for (const command of [
      'bench drop',
      'bench chain',
      'bench rules',
      'bench sockmap',
      'bench upgrade',
    ] as const) {
      expectValid(command, JSON.parse(drop));
      covered.add(command);
    }
    const latency = readFileSync(join(import.meta.dirname, '../fixtures/bench/latency.json'), 'utf8');
    expectValid('bench latency', JSON.parse(latency));
    covered.add('bench latency');
    run('bench program', 'builtin:firewall', '--seconds', '1');
    run('bench probes', '--only', 'raw-tracepoint', '--seconds', '1');
    run('bench cli', '--only', 'start', '--seconds', '1');
    run('bench maps', '--only', 'array', '--entries', '64', '--seconds', '1');
    const rules = join(import.meta.dirname, '../fixtures/bench/rules.json');
    run('bench compare', rules, rules);
    run('bench render', rules);
  });

  it('is what the schemas say of what manifests declare', () => {
    const manifest = (limit: number, health: object = {}): void => {
      const functions = ['one', 'two'].map((name) => ({
        apiVersion: 'netkit/v1',
        kind: 'NetworkFunction',
        metadata: { name, labels: { tier: 'edge' } },
        spec: {
          program: { builtin: 'firewall' },
          config: { defaultAction: 'pass', block: ['10.0.0.0/8'], maxEntries: limit },
          maps: { blocklist_v6: { keep: true } },
          metrics: [
            { map: 'stats', name: 'packets_total', type: 'counter', labels: ['outcome'], field: 'packets' },
          ],
          attach: [{ hook: 'xdp', interfaces: ['nosuch*'] }],
          ...health,
        },
      }));
      const chain = {
        apiVersion: 'netkit/v1',
        kind: 'Chain',
        metadata: { name: 'edge' },
        spec: {
          interface: pair.b.ifname,
          netns: pair.b.netns.name,
          hook: 'xdp',
          functions: ['one', { name: 'two', proceedOn: ['pass', 'tx'] }],
        },
      };
      const documents = [...functions, chain].map((each) => `---\n${JSON.stringify(each)}\n`);
      writeFileSync(join(folder, 'edge.yaml'), documents.join(''));
    };
    const planned = (...args: string[]): void => {
      const result = netkit(['plan', ...args, '--json'], { env: bpffs.env, cwd: folder });
      expect(result.status).toBe(8);
      expectValid('plan', result.json());
    };
    manifest(10);
    planned('-f', 'edge.yaml');
    run('apply', '-f', 'edge.yaml', '--dry-run');
    run('apply', '-f', 'edge.yaml');
    run('plan', '-f', 'edge.yaml');
    run('status');
    run('diff');
    run('diff', '--all');
    run('export');
    run('export', 'one', '--entries');
    run('snapshot');
    manifest(20, { health: { settle: '100ms', probe: { command: ['true'] } } });
    planned('one');
    writeFileSync(join(folder, 'tests.json'), JSON.stringify([{ packet: '00'.repeat(64), verdict: 'pass' }]));
    run('upgrade', 'one', '--test', 'tests.json');
    run('apply', '-f', 'edge.yaml', '--confirm', '60s');
    run('confirm');
    run('rollback', 'one');
    run('reconcile');
    run('delete', '-f', 'edge.yaml', '--dry-run');
    run('delete', '-f', 'edge.yaml', '--yes');
  });

  it('is what the schemas say through the life of a function', () => {
    run('build', join(import.meta.dirname, '../../bpf/firewall.bpf.c'), '-o', 'fw.bpf.o');
    run('verify', 'fw.bpf.o');
    run('load', 'fw.bpf.o', '--dry-run');
    run('load', 'fw.bpf.o', '--set', 'default_action=drop', '--map-size', 'blocklist_v4=10');
    const attach = ['fw', pair.b.ifname, '--netns', pair.b.netns.name, '--direct'];
    run('attach', ...attach, '--dry-run');
    run('attach', ...attach);
    run('attach', ...attach);
    run('map update', 'fw/blocklist_v4', '10.0.0.0/8', 'drop');
    run('map update', 'fw/blocklist_v4', '10.0.0.0/8', 'pass', 'exist', '--dry-run');
    run('map get', 'fw/blocklist_v4', '10.0.0.0/8');
    writeFileSync(join(folder, 'commands'), 'map get fw/blocklist_v4 10.0.0.0/8\n');
    run('batch', 'commands');
    run('map get', 'fw/blocklist_v4', '10.0.0.0/8', '--json-strings');
    run('map lookup', 'fw/blocklist_v4', '10.1.2.3');
    run('map dump', 'fw/blocklist_v4');
    run('map update', 'fw/stats', 'pass_no_match', '{"packets":1}');
    run('map dump', 'fw/stats', '--per-cpu');
    run('map dump', 'fw/stats');
    run('map export', 'fw/blocklist_v4', 'blocked.csv');
    run('map export', 'fw/stats', 'stats.nkmap');
    run('map diff', 'fw/blocklist_v4', 'blocked.csv');
    run('map import', 'fw/blocklist_v4', 'blocked.csv');
    run('map import', 'fw/blocklist_v4', 'blocked.csv', '--replace', '--json-strings');
    writeFileSync(join(folder, 'none.json'), '[]');
    run('map import', 'fw/blocklist_v4', 'none.json', '--replace', '--dry-run');
    run('map import', 'fw/stats', 'stats.nkmap', '--atomic');
    run('load', 'fw.bpf.o', '--name', 'fw2');
    run('map copy', 'fw/blocklist_v4', 'fw2/blocklist_v4', '--dry-run');
    run('map copy', 'fw/blocklist_v4', 'fw2/blocklist_v4');
    run('unload', 'fw2');
    run('map delete', 'fw/blocklist_v4', '10.0.0.0/8');
    run('map delete', 'fw/blocklist_v4', '10.0.0.0/8', '--if-exists');
    run('map show', 'fw/stats');
    const pin = join(bpffs.root.path, 'queue');
    const queue = [pin, '--type', 'queue', '--value-type', 'u64', '--max-entries', '2'];
    run('map create', ...queue, '--dry-run');
    run('map create', ...queue);
    run('map show', pin);
    run('map push', pin, '7', '--value-type', 'u64');
    run('map peek', pin);
    run('map pop', pin);
    run('map pop', pin, '--if-exists');
    run('map freeze', pin, '--dry-run');
    run('map freeze', pin);
    run('map pin', pin, `${pin}_too`, '--dry-run');
    run('map pin', pin, `${pin}_too`);
    for (const path of [pin, `${pin}_too`]) rmSync(path);
    run('build', join(import.meta.dirname, '../fixtures/events.bpf.c'), '-o', 'ev.bpf.o');
    run('load', 'ev.bpf.o');
    run('prog run', 'ev/produce', '--hex', '00'.repeat(14));
    run('map watch', 'ev/events', '--count', '1');
    run('unload', 'ev');
    run('prog show', 'fw');
    run('prog dump', 'fw');
    run('prog dump', '--object', 'fw.bpf.o', '--visual', 'svg');
    run('prog dump', 'fw', '-o', 'fw.txt');
    run('prog profile', 'fw', '--tier', 'test-run', '--seconds', '0.1');
    run('prog profile', 'fw', '--tier', 'statistics', '--seconds', '0.1', '--quiet');
    run('btf list');
    run('btf dump', 'fw');
    run('btf dump', 'fw/blocklist_v4', '--raw');
    run('btf dump', 'fw.bpf.o', '-o', 'types.h');
    // Its lines come when programs write: test/e2e/trace.test.ts holds each against its schema.
    covered.add('trace');
    run('link show', 'fw');
    run('net', pair.b.ifname, '--netns', pair.b.netns.name);
    run('net', '--netns', pair.b.netns.name);
    run('off', pair.b.ifname, '--netns', pair.b.netns.name, '--dry-run');
    // Chains are not on every kernel: test/e2e/xdp-chain.test.ts holds it against its schema.
    covered.add('link update');
    run('prog run', 'fw', '--hex', '00'.repeat(14));
    for (const list of ['prog list', 'map list', 'link list'] as const) {
      run(list);
      run(list, 'fw');
      run(list, '--all');
    }
    run('list');
    run('load', 'fw.bpf.o', '--replace');
    run('replace', 'fw', 'fw.bpf.o', '--dry-run');
    run('replace', 'fw', 'fw.bpf.o');
    run('detach', 'fw', '--dry-run');
    run('confirm');
    run('detach', 'fw', '--confirm', '1h');
    run('list');
    run('recover');
    run('confirm', 'fw', '--dry-run');
    run('confirm', 'fw');
    run('attach', ...attach);
    run('detach', 'fw');
    run('unload', '--all', '--dry-run');
    run('unload', 'fw');
    run('load', 'fw.bpf.o', '--name', 'theirs');
    renameSync(join(bpffs.root.path, 'netkit/theirs/progs/firewall'), join(bpffs.root.path, 'foreign'));
    run('unload', 'theirs');
    run('adopt', join(bpffs.root.path, 'foreign'), '--name', 'ours', '--dry-run', '--quiet');
    run('adopt', join(bpffs.root.path, 'foreign'), '--name', 'ours', '--take-pins');
    run('list');
    run('unload', '--all', '--yes');
  });

  it('was looked at for every command of the table', () => {
    expect([...covered].sort()).toEqual(commands.map(({ name }) => name).sort());
  });
});
