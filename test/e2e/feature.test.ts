import { machine, release } from 'node:os';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hookTable } from '../../src/ebpf/hook-table.js';
import { atLeast } from '../../src/host/kernel.js';
import { netkit } from '../support/cli.js';
import { expectUnchanged, snapshotKernelState } from '../support/kernel-state.js';
import { emulated } from '../support/known-kernels.js';
import { makeVethPair, type VethPair } from '../support/netns.js';
import { describeAsRoot } from '../support/requirements.js';
import { expectValid } from '../support/schema.js';

let pair: VethPair;
beforeAll(() => {
  pair = makeVethPair();
});
afterAll(() => {
  pair[Symbol.dispose]();
});

const named = (name: string, fields: object) =>
  expect.arrayContaining([expect.objectContaining({ name, ...fields })]);

describeAsRoot('netkit feature', () => {
  it('says in JSON what there is, with versions, quickly, and leaves nothing behind', async () => {
    const before = snapshotKernelState();
    const started = performance.now();
    const result = netkit(['feature', '--json']);
    const took = performance.now() - started;
    expect(result).toMatchObject({ status: 0, stderr: '' });
    const document = result.json();
    expectValid('feature', document);
    expect(document).toMatchObject({
      kernel: { release: release(), machine: machine() },
      programTypes: named('xdp', { since: '4.8', available: true, reason: null }),
      mapTypes: named('lpm_trie', { since: '4.11', available: true, reason: null }),
      hooks: hookTable.map(({ name, since }) => expect.objectContaining({ name, since })),
      helpers: named('bpf_map_lookup_elem', {
        since: '3.19',
        available: true,
        programTypes: expect.arrayContaining(['xdp', 'sched_cls', 'kprobe']),
      }),
      misc: named('batch-calls', { since: '5.6', available: true }),
      setup: { lockdown: expect.any(String) },
    });
    await expectUnchanged(before);
    // An emulated machine takes many times as long.
    if (!emulated) expect(took).toBeLessThan(3000);
  });

  it('does not try by itself what the kernel would log', () => {
    expect(netkit(['feature', 'helpers', '--json']).json()).toMatchObject({
      programTypes: null,
      helpers: named('bpf_trace_printk', {
        available: null,
        reason: 'not tried, as the kernel would log it: --full tries it',
      }),
    });
    expect(netkit(['feature', 'helpers', '--full', '--json']).json()).toMatchObject({
      helpers: named('bpf_trace_printk', { available: true }),
    });
  });

  it('shows helpers and kfuncs in short unless they are asked for', () => {
    const short = netkit(['feature']).stdout;
    expect(short).toMatch(/^Program types: \d+ of 32$/m);
    expect(short).toMatch(/^xdp +yes +Linux 4\.8$/m);
    expect(short).toMatch(/^Helpers: \d+ of 211, 3 unknown$/m);
    expect(short).not.toMatch(/^bpf_map_lookup_elem /m);
    const asked = netkit(['feature', 'helpers']).stdout;
    expect(asked).toMatch(/^bpf_map_lookup_elem +yes +Linux 3\.19 +\d+ program types$/m);
    expect(asked).not.toContain('Program types:');
    const full = netkit(['feature', 'helpers', '--full']).stdout;
    expect(full).toMatch(/^bpf_map_lookup_elem +yes +Linux 3\.19 .*sched_cls.*xdp/m);
  });

  it('shows what the driver of an interface can do, in another namespace too', () => {
    const { netns, ifname, ifindex } = pair.a;
    const result = netkit(['feature', ifname, '--netns', netns.name, '--json']);
    expect(result).toMatchObject({ status: 0, stderr: '' });
    expectValid('feature', result.json());
    // The family netdev came with 6.3.
    const xdp = atLeast(6, 3)
      ? { xdp: expect.objectContaining({ native: true, redirect: true, offload: false }), reason: null }
      : { xdp: null, reason: expect.stringContaining('since Linux 6.3') };
    expect(result.json()).toMatchObject({
      programTypes: null,
      helpers: null,
      interfaces: [{ ifname, ifindex, driver: 'veth', mtu: 1500, lro: false, ...xdp }],
    });
    const { stdout } = netkit(['feature', ifname], { netns });
    expect(stdout).toMatch(/driver: +veth/);
    expect(stdout).toMatch(atLeast(6, 3) ? /XDP: +native, redirect/ : /XDP: +unknown/);
  });

  it('lists the interfaces of a namespace', () => {
    const { netns, ifname } = pair.b;
    const document = netkit(['feature', 'interfaces', '--netns', netns.name, '--json']).json();
    expect(document).toMatchObject({
      interfaces: [
        expect.objectContaining({ ifname: 'lo', driver: null }),
        expect.objectContaining({ ifname }),
      ],
    });
  });

  it.each([
    [['nosuch0'], 3, /no interface 'nosuch0'/, /./],
    [['helper'], 3, /no interface 'helper', and no section of that name/, /did you mean 'helpers'\?/],
    [['lo', 'eth9'], 2, /one interface can be shown at a time/, /sections are/],
    [['programs', 'lo', 'kfunc'], 2, /one interface/, /did you mean 'kfuncs'\?/],
    [['probe'], 3, /no interface 'probe'/, /netkit feature alone/],
    [['--fulll'], 2, /unknown option/, /--full/],
  ])('refuses %j', (words, status, message, hint) => {
    const result = netkit(['feature', ...words]);
    expect(result.status).toBe(status);
    expect(result.stdout).toBe('');
    const [first = '', second = ''] = result.stderr.split('\n');
    expect(first).toMatch(message);
    expect(second).toMatch(hint);
  });
});
