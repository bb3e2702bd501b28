// SIGKILL at every step of what puts another generation into place, watched or not, and of `rollback`.
import { it } from 'vitest';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import {
  applying,
  compileManifestObjects,
  type ManifestScenario,
  nextDeclared,
  proveKilled,
  watchedHealth,
} from './apply-kill-steps.js';

const scenarios: readonly ManifestScenario[] = [
  {
    what: '`apply` of another generation, with maps that are kept and migrated',
    prepare: (g) => nextDeclared(g),
    command: applying,
  },
  {
    what: '`upgrade` that is watched and turns out healthy',
    prepare: (g) => nextDeclared(g, watchedHealth('0')),
    command: (g) => ['upgrade', '-f', g.file('m.yaml')],
  },
  {
    what: '`upgrade` that is watched and does not turn out healthy',
    prepare: (g) => nextDeclared(g, watchedHealth('1')),
    command: (g) => ['upgrade', '-f', g.file('m.yaml')],
    status: 1,
  },
  {
    what: '`rollback`',
    async prepare(g) {
      await nextDeclared(g);
      await g.ground.manages(...applying(g));
    },
    command: () => ['rollback', 'f'],
    isOnce: true,
  },
];

describeAsRoot(
  'another generation of a declared function',
  () => {
    expectUnchangedAfterAll();
    const objects = compileManifestObjects();

    it.for(scenarios)(
      'by $what, killed at each of its steps, is not there or in place after the next command',
      { timeout: 400_000 },
      async (scenario) => {
        await proveKilled(objects, scenario);
      },
    );
  },
  { tools: ['clang', 'ping'] },
);
