// SIGKILL at every step of `apply`, `delete` and `reconcile`: the next command leaves what was before, or what was to be.
import { expect, it } from 'vitest';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { sampled } from '../support/sampling.js';
import {
  clear,
  declare,
  leaveOutWhatStands,
  plantEntries,
  removeFolder,
  removePins,
} from './apply-kill-ground.js';
import {
  applyFirst,
  applying,
  compileManifestObjects,
  type ManifestScenario,
  outcomeOf,
  proveKilled,
  settled,
} from './apply-kill-steps.js';
import { killedKinds, runToStep, stepsOf } from './kill-ground.js';
import { ManifestGround } from './manifest-ground.js';
import { clearFilters } from './plan-ground.js';

const scenarios: readonly ManifestScenario[] = [
  {
    what: '`apply` that makes two functions and a chain',
    prepare: async (g) => declare(g, 'first'),
    command: applying,
  },
  {
    what: '`apply` that changes entries, attachments, the order of a chain, and labels',
    async prepare(g) {
      await applyFirst(g);
      declare(g, 'inPlace');
    },
    command: applying,
  },
  {
    what: '`delete` of two functions and a chain',
    prepare: applyFirst,
    command: (g) => ['delete', '-f', g.file('m.yaml'), '--yes'],
  },
  {
    what: '`reconcile` after the pins were removed',
    async prepare(g) {
      await applyFirst(g);
      removePins(g);
      // Each function comes back by itself.
      await g.ground.manages('reconcile', 'g');
    },
    command: () => ['reconcile', 'f'],
  },
];

describeAsRoot(
  'a command about a manifest that is killed',
  () => {
    const kinds = new Set<string>();

    expectUnchangedAfterAll();
    const objects = compileManifestObjects();

    it.for(scenarios)(
      '$what, at each of its steps, is taken back or finished by the next command',
      { timeout: 240_000 },
      async (scenario) => {
        for (const kind of await proveKilled(objects, scenario)) kinds.add(kind);
      },
    );

    it('and its folder in the bpffs removed, comes back once, and goes without a trace', async () => {
      using g = new ManifestGround(objects);
      const bare = g.ground.hooks();
      leaveOutWhatStands();
      await g.ground.manages('recover');
      await applyFirst(g);
      const before = await settled(g);
      removeFolder(g);
      clearFilters(g.ground);
      await g.ground.manages('reconcile');
      plantEntries(g);
      await outcomeOf(g, before, before, true, 'reconciled');
      await clear(g);
      g.ground.expectOnlyLock();
      expect(g.ground.hooks()).toEqual(bare);
    });

    it('with a chain member that a killed `delete` had taken off, and its folder removed then, comes back once', async () => {
      using g = new ManifestGround(objects);
      const bare = g.ground.hooks();
      leaveOutWhatStands();
      const deleting = ['delete', '-f', g.file('m.yaml'), '--yes'];
      await applyFirst(g);
      const count = await stepsOf(g.ground, deleting);
      const endings: string[] = [];
      for (const step of sampled(count, 5)) {
        await clear(g);
        await applyFirst(g);
        const before = await settled(g);
        expect(await runToStep(g.ground, deleting, step), `step ${step} of ${count}`).toBeUndefined();
        await g.ground.manages('recover');
        const isThere = g.ground.bpffs.pins().length > 0;
        endings.push(isThere ? 'before' : 'after');
        if (!isThere) continue;
        await outcomeOf(g, before, before, false, `step ${step}`);
        removeFolder(g);
        clearFilters(g.ground);
        await g.ground.manages('reconcile');
        plantEntries(g);
        await outcomeOf(g, before, before, true, `reconciled after step ${step}`);
      }
      expect(endings.filter((each) => each === 'before').length).toBeGreaterThan(1);
      await clear(g);
      g.ground.expectOnlyLock();
      expect(g.ground.hooks()).toEqual(bare);
    });

    it('has every kind of action in its journal that belongs to manifests', () => {
      expect([...kinds]).toEqual(expect.arrayContaining([...killedKinds(import.meta.url)]));
    });
  },
  { tools: ['clang', 'ping'] },
);
