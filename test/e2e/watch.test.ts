// `netkit reconcile --watch`: interfaces that come, go, are renamed, and what it leaves alone.
import { afterEach, expect } from 'vitest';
import { run } from '../support/netns.js';
import { describeAsRoot } from '../support/requirements.js';
import { functionOf, type ManifestGround, plant } from './manifest-ground.js';
import { manifestGround, testsInNetns } from './manifest-setup.js';
import { expectReconciled, reboots, reconciles } from './reconcile-ground.js';
import {
  addPair,
  attachedIn,
  aWhile,
  endLeftWatches,
  ends,
  onInterfaces,
  removePair,
  untilAttached,
  watches,
} from './watch-ground.js';

describeAsRoot('netkit reconcile --watch', () => {
  const ground = manifestGround();
  afterEach(endLeftWatches);
  const onClear = testsInNetns(ground);

  onClear('attaches to an interface that appears, comes back, or is renamed', async (g, netns) => {
    g.declares([onInterfaces(g, ['late0', 'wild*'], { netns })]);
    g.applies();
    using watch = await watches(g);
    const took: number[] = [];
    for (let round = 0; round < 5; round++) {
      addPair(netns, 'late0');
      took.push(await untilAttached(netns, ['late0']));
      removePair(netns, 'late0');
      await untilAttached(netns, []);
    }
    // Removed and made anew between two looks.
    addPair(netns, 'late0');
    await untilAttached(netns, ['late0']);
    removePair(netns, 'late0');
    addPair(netns, 'late0');
    await untilAttached(netns, ['late0']);
    addPair(netns, 'other');
    await aWhile();
    expect(attachedIn(netns)).toEqual(['late0']);
    run('ip', ['-n', netns, 'link', 'set', 'other', 'name', 'wild7']);
    await untilAttached(netns, ['late0', 'wild7']);
    run('ip', ['-n', netns, 'link', 'set', 'wild7', 'name', 'wild8']);
    await untilAttached(netns, ['late0', 'wild8']);
    run('ip', ['-n', netns, 'link', 'set', 'wild8', 'name', 'tame']);
    await untilAttached(netns, ['late0']);
    expect(watch.stdout).toContain(`attach f/one to `);
    await ends(watch);
    reconciles(g);
    const sorted = took.map(Math.round).sort((one, other) => one - other);
    process.stdout.write(`from 'ip link add' to attached: ${sorted.join(', ')} ms\n`);
  });

  onClear('follows a namespace that is deleted and made again', async (g, netns) => {
    g.declares([onInterfaces(g, ['late0'], { netns })]);
    g.applies();
    using watch = await watches(g);
    for (let round = 0; round < 4; round++) {
      addPair(netns, 'late0');
      await untilAttached(netns, ['late0']);
      run('ip', ['netns', 'del', netns]);
      if (round % 2 === 0) await aWhile();
      run('ip', ['netns', 'add', netns]);
    }
    await ends(watch);
  });

  onClear('leaves off what was taken off, until it is asked for', async (g, netns) => {
    const { ifname } = g.ground;
    const defended = g.ground.netns.name;
    const connecting = { program: 'connecting', hook: 'cgroup/connect4', target: g.cgroup('w') };
    const [one] = onInterfaces(g, ['wild*'], { netns }).spec['attach'] as object[];
    const [own] = onInterfaces(g, [ifname]).spec['attach'] as object[];
    g.declares([
      functionOf({
        program: { object: g.object, only: ['one', 'connecting'] },
        attach: [one, own, connecting],
      }),
    ]);
    addPair(netns, 'wild0');
    g.applies();
    using watch = await watches(g);
    g.ground.does('off', ifname, '--netns', defended);
    g.ground.does('detach', 'f', 'wild0', '--netns', netns);
    run('bpftool', ['link', 'detach', 'pinned', g.pin('f', 'links', linkPin(g, 'connecting'))]);
    expect([attachedIn(defended), attachedIn(netns), g.onCgroup('w')]).toEqual([[], [], []]);
    for (const name of ['wild1', 'wild2']) {
      addPair(netns, name);
      await untilAttached(netns, name === 'wild1' ? ['wild1'] : ['wild1', 'wild2']);
    }
    removePair(netns, 'wild1');
    await untilAttached(netns, ['wild2']);
    await aWhile();
    expect([attachedIn(defended), attachedIn(netns), g.onCgroup('w')]).toEqual([[], ['wild2'], []]);
    // The interface is another one now.
    removePair(netns, 'wild0');
    addPair(netns, 'wild0');
    await untilAttached(netns, ['wild0', 'wild2']);
    reconciles(g);
    expect([attachedIn(defended), g.onCgroup('w')]).toEqual([[ifname], ['connecting']]);
    await ends(watch);
    expectReconciled(g);
  });

  onClear(
    'notices what is applied and deleted meanwhile, in namespaces that are new to it',
    async (g, netns) => {
      using watch = await watches(g);
      g.declares([onInterfaces(g, ['late0'], { netns })]);
      g.applies();
      addPair(netns, 'late0');
      await untilAttached(netns, ['late0']);
      g.ground.does('delete', 'f', '--yes');
      addPair(netns, 'wild0');
      await aWhile();
      expect(attachedIn(netns)).toEqual([]);
      g.declares([onInterfaces(g, ['wild*'], { name: 'h', netns })]);
      g.applies();
      addPair(netns, 'wild1');
      await untilAttached(netns, ['wild0', 'wild1']);
      await ends(watch);
    },
  );

  onClear('brings back what a reboot took, and what could not come then', async (g, netns) => {
    g.declares([
      onInterfaces(g, ['late0'], { netns, maps: { words: { keep: true } } }),
      onInterfaces(g, [g.ground.ifname], { name: 'user', maps: { tallies: { reuse: 'f/tallies' } } }),
    ]);
    g.applies();
    plant(g, 'words', '09000000', '5a00000000000000');
    {
      using watch = await watches(g, '--save-every', '1s', '--log-level', 'debug');
      await watch.output(/saved f\/words: 1 entries/);
      plant(g, 'words', '0a000000', '5a00000000000000');
      await watch.output(/saved f\/words: 2 entries/);
      await ends(watch);
    }
    reboots(g);
    using watch = await watches(g);
    expect(g.ground.ping(1)).toBe(1);
    await untilAttached(g.ground.netns.name, [g.ground.ifname]);
    expect(Object.keys(g.entries('words')).sort()).toEqual(['09000000', '0a000000']);
    addPair(netns, 'late0');
    await untilAttached(netns, ['late0']);
    await ends(watch);
  });
});

function linkPin(g: ManifestGround, program: string): string {
  const pin = g.ground.bpffs.pins().find((each) => each.startsWith(`netkit/f/links/${program}`));
  if (pin === undefined) throw new Error(`no link of ${program}`);
  return pin.slice('netkit/f/links/'.length);
}
