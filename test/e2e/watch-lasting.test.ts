// `netkit reconcile --watch` beside others: locks, damaged files, a second watch, its end.
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { afterEach, expect } from 'vitest';
import { run } from '../support/netns.js';
import { describeAsRoot } from '../support/requirements.js';
import { eventually } from './hook-ground.js';
import { manifestGround, testsInNetns } from './manifest-setup.js';
import { cut, expectReconciled, reconciles, stateOf } from './reconcile-ground.js';
import {
  addPair,
  endLeftWatches,
  ends,
  endsWithTest,
  onInterfaces,
  removePair,
  untilAttached,
  watches,
} from './watch-ground.js';

/** Prints what comes in at a socket, datagram by datagram. */
const receiver = `
use Socket; $| = 1;
socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die; bind($s, sockaddr_un($ARGV[0])) or die; print "bound\\n";
while (defined recv($s, my $text, 1000, 0)) { print "$text\\n"; }`;

async function untilTrue(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error('not within ten seconds');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describeAsRoot(
  'netkit reconcile --watch, beside others,',
  () => {
    const ground = manifestGround();
    afterEach(endLeftWatches);
    const onClear = testsInNetns(ground);

    onClear('waits for the lock, says so, and does it later', async (g, netns) => {
      g.declares([onInterfaces(g, ['late*'], { netns })]);
      g.applies();
      using watch = await watches(g, '--lock-timeout', '1');
      const holder = spawn('flock', [stateOf(g, 'lock'), 'sleep', '2.5'], { stdio: 'ignore' });
      const released = new Promise((resolve) => holder.on('close', resolve));
      await new Promise((resolve) => setTimeout(resolve, 100));
      addPair(netns, 'late0');
      await watch.output(/another netkit command holds the lock/);
      await untilAttached(netns, []);
      await released;
      await untilAttached(netns, ['late0']);
      await ends(watch);
    });

    onClear('does no harm twice, and shares the work with commands', async (g, netns) => {
      g.declares([onInterfaces(g, ['late*'], { netns })]);
      g.applies();
      using one = await watches(g);
      using other = await watches(g);
      const names = Array.from({ length: 20 }, (_, index) => `late${index}`);
      for (const name of names) addPair(netns, name);
      const beside = g.ground.runs(['reconcile']);
      await untilAttached(netns, names);
      expect((await beside)?.status).toBe(0);
      for (const name of names.slice(0, 10)) removePair(netns, name);
      await untilAttached(netns, names.slice(10));
      for (const name of names.slice(0, 10)) addPair(netns, name);
      await untilAttached(netns, names);
      // What went with its interface is forgotten a little after the new one is there.
      await eventually('20 links are recorded', () => g.ground.listed('f').links.length === 20);
      await ends(one);
      await ends(other);
      expect(`${one.stderr}${other.stderr}`).not.toMatch(/warning/);
      expectReconciled(g);
      expect(g.ground.listed('f').links).toHaveLength(20);
    });

    onClear('names state that is damaged meanwhile, once, and goes on with the others', async (g, netns) => {
      g.declares([
        onInterfaces(g, ['late*'], { netns }),
        onInterfaces(g, ['late*'], { netns, name: 'spoilt' }),
      ]);
      g.applies();
      const whole = readFileSync(stateOf(g, 'spoilt.json'));
      using watch = await watches(g);
      cut(g, 'spoilt.json');
      await watch.output(/warning: spoilt: .*spoilt\.json is damaged/);
      writeFileSync(stateOf(g, 'edge.chain'), '{');
      await watch.output(/warning: edge: .*edge\.chain is damaged/);
      addPair(netns, 'late0');
      await untilAttached(netns, ['late0']);
      writeFileSync(stateOf(g, 'edge.chain'), '');
      writeFileSync(stateOf(g, 'spoilt.json'), whole);
      run('rm', [stateOf(g, 'edge.chain')]);
      await untilAttached(netns, ['late0', 'late0']);
      await ends(watch);
      expect(watch.stderr.match(/spoilt\.json is damaged/g)).toHaveLength(1);
      reconciles(g);
    });

    onClear('tells the service manager, and ends at once', async (g) => {
      g.declares([onInterfaces(g, [g.ground.ifname])]);
      g.applies();
      const address = join(g.ground.bpffs.folder, 'notify');
      const manager = spawn('perl', ['-e', receiver, address], { stdio: ['ignore', 'pipe', 'inherit'] });
      let said = '';
      const heard = (what: RegExp) => untilTrue(() => what.test(said));
      manager.stdout.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
      await heard(/bound/);
      const watch = endsWithTest(g.ground.startWith({ NOTIFY_SOCKET: address }, 'reconcile', '--watch'));
      try {
        await heard(/^READY=1\nSTATUS=following interfaces$/m);
        const start = performance.now();
        await ends(watch);
        expect(performance.now() - start).toBeLessThan(1000);
        await heard(/^STOPPING=1$/m);
      } finally {
        watch[Symbol.dispose]();
        manager.kill();
      }
    });

    onClear('ends while it waits for the lock', async (g, netns) => {
      g.declares([onInterfaces(g, ['late*'], { netns })]);
      g.applies();
      using watch = await watches(g, '--lock-timeout', '60');
      const holder = spawn('flock', [stateOf(g, 'lock'), 'sleep', '5'], { stdio: 'ignore' });
      const released = new Promise((resolve) => holder.on('close', resolve));
      await new Promise((resolve) => setTimeout(resolve, 100));
      addPair(netns, 'late0');
      await watch.output(/waiting for/);
      await ends(watch);
      expect(holder.exitCode).toBe(null);
      await released;
      reconciles(g);
      await untilAttached(netns, ['late0']);
    });

    onClear(
      'can be taken back when it is killed after an interface was renamed or went',
      async (g, netns) => {
        for (const name of ['gone', 'wild1']) {
          for (const step of [4, 7, 10]) {
            g.declares([onInterfaces(g, ['wild*', 'more*'], { netns })]);
            addPair(netns, 'wild0');
            g.applies();
            run('ip', ['-n', netns, 'link', 'set', 'wild0', 'name', name]);
            addPair(netns, 'more0');
            expect(
              await g.ground.runs(['reconcile'], { NETKIT_TEST_KILL_STEP: String(step) }),
            ).toBeUndefined();
            removePair(netns, name);
            reconciles(g);
            await untilAttached(netns, ['more0']);
            removePair(netns, 'more0');
            g.clears();
          }
        }
      },
    );

    onClear('leaves nothing half done when it is killed', async (g, netns) => {
      g.declares([onInterfaces(g, ['late*'], { netns })]);
      g.applies();
      const all: string[] = [];
      for (let round = 0; round < 8; round++) {
        using watch = await watches(g);
        const names = [1, 2, 3].map((number) => `late${round}-${number}`);
        for (const name of names) addPair(netns, name);
        all.push(...names);
        await new Promise((resolve) => setTimeout(resolve, 20 + 20 * round));
        watch.process.kill('SIGKILL');
        await watch.ended.catch(() => undefined);
        if (round % 2 === 1) continue;
        reconciles(g);
        await untilAttached(netns, all);
      }
      reconciles(g);
      await untilAttached(netns, all);
      expect(g.ground.listed('f').links).toHaveLength(all.length);
    });
  },
  { tools: ['perl', 'flock'] },
);
