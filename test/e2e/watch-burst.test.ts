// Two hundred interfaces at once under `netkit reconcile --watch`, several times: each gets the program once, and nothing grows.
import { readdirSync, readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { afterEach, expect, it } from 'vitest';
import { emulated } from '../support/known-kernels.js';
import { run, uniqueName } from '../support/netns.js';
import { describeAsRoot } from '../support/requirements.js';
import { isThorough } from '../support/sampling.js';
import type { ManifestGround } from './manifest-ground.js';
import { manifestGround } from './manifest-setup.js';
import { expectReconciled } from './reconcile-ground.js';
import { aWhile, endLeftWatches, ends, onInterfaces, untilAttached, watches } from './watch-ground.js';

/** Emulated machines take their time. */
const interfaces = emulated ? 20 : 200;
const rounds = emulated ? 2 : isThorough ? 5 : 3;

describeAsRoot('netkit reconcile --watch, under a burst of interfaces,', () => {
  const ground = manifestGround();
  afterEach(endLeftWatches);

  it('attaches to each of them once, and grows in nothing', { timeout: 300_000 }, async () => {
    const g = ground();
    const netns = uniqueName();
    run('ip', ['netns', 'add', netns]);
    try {
      g.declares([onInterfaces(g, ['veth*'], { netns })]);
      g.applies();
      using watch = await watches(g);
      const pid = watch.process.pid ?? 0;
      const names = Array.from({ length: interfaces }, (_, index) => `veth${index}`);
      const took: number[] = [];
      const used: { readonly memory: number; readonly descriptors: number }[] = [];
      for (let round = 0; round < rounds; round++) {
        batchIn(
          netns,
          names.map((name) => `link add ${name} type veth peer name p-${name}`),
        );
        took.push(await untilAttached(netns, names, 60_000));
        batchIn(
          netns,
          names.map((name) => `link del ${name}`),
        );
        await untilAttached(netns, [], 60_000);
        await untilForgotten(g);
        used.push({ memory: memoryOf(pid), descriptors: await descriptorsOf(pid) });
      }
      process.stdout.write(
        `${interfaces} interfaces attached after ${took.map(Math.round).join(', ')} ms; ` +
          `${used.map(({ memory, descriptors }) => `${memory >> 10} MiB, ${descriptors} descriptors`).join('; ')}\n`,
      );
      const [first] = used;
      const last = used.at(-1);
      if (first === undefined || last === undefined) throw new Error('nothing was measured');
      expect(last.descriptors).toBe(first.descriptors);
      // The first rounds warm up: what is kept of each would be much more.
      expect(last.memory - first.memory).toBeLessThan(60 << 10);
      await ends(watch);
      expect(watch.stderr).not.toMatch(/warning/);
      expect(g.ground.listed('f').links).toEqual([]);
      expectReconciled(g);
    } finally {
      run('ip', ['netns', 'del', netns]);
      g.clears();
    }
  });
});

function batchIn(netns: string, lines: readonly string[]): void {
  run('ip', ['-n', netns, '-batch', '-'], `${lines.join('\n')}\n`);
}

/** Waits until nothing is recorded of the interfaces that went. */
async function untilForgotten(g: ManifestGround): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (g.ground.listed('f').links.length > 0) {
    if (performance.now() > deadline) throw new Error('links of interfaces that went are still recorded');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Those that it has when it is at rest: what is recorded is told before all of it is done. */
async function descriptorsOf(pid: number): Promise<number> {
  const counts: number[] = [];
  for (let look = 0; look < 20; look++) {
    counts.push(readdirSync(`/proc/${pid}/fd`).length);
    await aWhile(50);
  }
  return Math.min(...counts);
}

/** KiB of memory that are the process's own. */
function memoryOf(pid: number): number {
  const own = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(own);
}
