import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openNetns } from '../../../src/host/netns.js';
import { makeBpffs } from '../../support/bpffs.js';
import {
  compareStates,
  expectUnchanged,
  leavingNothing,
  snapshotKernelState,
} from '../../support/kernel-state.js';
import { ipBatch, makeNetns, makeVethPair, pingCount, run, uniqueName } from '../../support/netns.js';
import { describeAsRoot, itWith, missing } from '../../support/requirements.js';

function createMap(pin: string, name: string): void {
  run('bpftool', [
    'map',
    'create',
    pin,
    'type',
    'array',
    'key',
    '4',
    'value',
    '4',
    'entries',
    '1',
    'name',
    name,
  ]);
}

describeAsRoot('test namespaces', () => {
  it('pass exactly the packets that are sent, from the first on', () => {
    for (let round = 0; round < 5; round++) {
      using pair = makeVethPair();
      expect(pingCount(pair.a.netns, pair.b.address, 4)).toBe(4);
      const [link] = JSON.parse(pair.b.netns.run('ip', ['-j', '-s', 'link', 'show', pair.b.ifname]));
      expect(link.stats64.rx.packets).toBe(4);
    }
  });

  it('count pings that are not answered', () => {
    using pair = makeVethPair();
    ipBatch([`addr del ${pair.b.address}/24 dev ${pair.b.ifname}`], pair.b.netns);
    expect(pingCount(pair.a.netns, pair.b.address, 2)).toBe(0);
  });

  it('join namespaces of the caller and leave those standing', async () => {
    await leavingNothing(() => {
      using left = makeNetns();
      using right = makeNetns();
      {
        using pair = makeVethPair({ a: left, b: right, queues: 2 });
        expect(pingCount(left, pair.b.address, 1)).toBe(1);
      }
      expect(left.run('ip', ['-o', 'link'])).not.toContain('veth');
      expect(JSON.parse(left.run('ip', ['-j', 'link']))).toHaveLength(1);
    });
  });

  it('are removed when making a pair fails halfway', async () => {
    await leavingNothing(() => {
      using left = makeNetns();
      expect(() => makeVethPair({ a: left, queues: 1_000_000 })).toThrow('ip -batch');
    });
  });
});

describeAsRoot('test bpffs', () => {
  it('lists pins and takes them away with it', async () => {
    await leavingNothing(() => {
      using bpffs = makeBpffs();
      expect(bpffs.pins()).toEqual([]);
      createMap(join(bpffs.root.path, 'kept'), 'nk_kept');
      expect(bpffs.pins()).toEqual(['kept']);
      expect(bpffs.env.NETKIT_BPFFS).toBe(bpffs.root.path);
      expect(existsSync(bpffs.stateDir)).toBe(false);
    });
  });
});

describeAsRoot('kernel state', () => {
  it('shows a map, its pin and its mount while they last', async () => {
    const before = snapshotKernelState();
    {
      using bpffs = makeBpffs();
      createMap(join(bpffs.root.path, 'left'), 'nk_left');
      const differences = compareStates(before, snapshotKernelState());
      expect(differences).toEqual([
        expect.stringMatching(/^ {2}left: map [0-9]+ array nk_left$/),
        `  left: bpffs at ${bpffs.root.path}`,
        `  left: pin ${bpffs.root.path}/left`,
      ]);
      await expect(expectUnchanged(before, 50)).rejects.toThrow('nk_left');
    }
    await expectUnchanged(before);
  });

  it('shows namespaces, interfaces, qdiscs and open descriptors', async () => {
    const before = snapshotKernelState();
    const name = uniqueName();
    ipBatch([`link add ${name} type veth peer name ${name}p`]);
    try {
      run('tc', ['qdisc', 'add', 'dev', name, 'clsact']);
      using made = makeNetns();
      using _opened = openNetns(made.name);
      const differences = compareStates(before, snapshotKernelState()).join('\n');
      expect(differences).toContain(`left: netns ${made.name}`);
      expect(differences).toContain(`left: interface ${name}`);
      expect(differences).toContain(`left: qdisc clsact ffff: on ${name}`);
      expect(differences).toMatch(/left: descriptor [0-9]+ of this process: \/run\/netns/);
    } finally {
      ipBatch([`link del ${name}`]);
    }
    await expectUnchanged(before);
  });

  it('shows what is gone', () => {
    using made = makeNetns();
    const before = snapshotKernelState();
    made[Symbol.dispose]();
    expect(compareStates(before, snapshotKernelState())).toContain(`  gone: netns ${made.name}`);
  });

  it('leaves out what only processes of others hold, and shows it when they are of this test run', async () => {
    // perl's bpf(2): BPF_MAP_CREATE of an array with key 4, value 4, one entry, then it says so and waits.
    const script =
      '$| = 1; my $attr = pack("L6", 2, 4, 4, 1, 0, 0) . ("\\0" x 96); my $fd = syscall(321, 0, $attr, 120);' +
      'die "$!" if $fd < 0; print "held"; sleep 30';
    for (const own of [false, true]) {
      const before = snapshotKernelState();
      const env = own ? process.env : { PATH: process.env.PATH };
      const holder = spawn('perl', ['-e', script], { env, stdio: ['ignore', 'pipe', 'inherit'] });
      try {
        await new Promise((resolve) => holder.stdout.once('data', resolve));
        expect(
          compareStates(before, snapshotKernelState()).filter((line) => line.includes('map')),
        ).toHaveLength(own ? 1 : 0);
      } finally {
        holder.kill('SIGKILL');
      }
      await expectUnchanged(before);
    }
  }, 20_000);

  itWith({ timing: true }, 'is taken quickly', () => {
    const begin = performance.now();
    for (let round = 0; round < 5; round++) snapshotKernelState();
    expect((performance.now() - begin) / 5).toBeLessThan(200);
  });
});

describe('requirements', () => {
  it('name every missing thing', () => {
    const needs = {
      tools: ['sh', 'no-such-tool'],
      kernel: [99, 1] as const,
      check: () => 'a second machine',
    };
    expect(missing(needs)).toEqual([
      'the program no-such-tool',
      expect.stringMatching(/^kernel 99\.1 \(this is /),
      'a second machine',
    ]);
    expect(missing({ tools: ['sh'], kernel: [3, 1] })).toEqual([]);
  });
});
