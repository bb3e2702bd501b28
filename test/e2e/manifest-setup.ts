/** Set-up of files whose tests apply manifests of `fields.bpf.c`, one after the other, on one ground. */
import { afterAll, beforeAll, it } from 'vitest';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { emulated } from '../support/known-kernels.js';
import { run, uniqueName } from '../support/netns.js';
import { ManifestGround } from './manifest-ground.js';
import { compileBeforeAll } from './objects.js';

type Work = (g: ManifestGround) => void | Promise<void>;

/**
 * Compiles the program, makes a ground for all tests of a `describe` and removes it; nothing is left on the machine then.
 * @returns the ground, for within a test
 */
export function manifestGround(): () => ManifestGround {
  let made: ManifestGround | undefined;
  const objects = { object: '', heavier: '' };
  expectUnchangedAfterAll();
  compileBeforeAll(async (compiler) => {
    objects.object = await compiler.compile('test/fixtures/fields.bpf.c');
    objects.heavier = await compiler.compile('test/fixtures/fields.bpf.c', ['STEP=2']);
  });
  beforeAll(() => {
    made = new ManifestGround(objects);
  });
  afterAll(() => {
    using done = ground();
    done.clears();
    done.ground.expectOnlyLock();
  });
  return ground;

  function ground(): ManifestGround {
    if (made === undefined) throw new Error('no ground');
    return made;
  }
}

/** The body of a test, after which nothing of netkit's is left on the ground. */
export function cleared(ground: () => ManifestGround, work: Work): () => Promise<void> {
  return async () => {
    try {
      await work(ground());
    } finally {
      ground().clears();
    }
  };
}

/** Tests that begin on a ground with nothing on it, and leave it so. @param ms a test may take */
export function testsOnClear(ground: () => ManifestGround) {
  return (title: string, work: Work, ms = emulated ? 900_000 : 60_000): void => {
    it(title, { timeout: ms }, cleared(ground, work));
  };
}

/** The same with a network namespace of the test's own, by its name. */
export function testsInNetns(ground: () => ManifestGround) {
  return (title: string, work: (g: ManifestGround, netns: string) => Promise<void>): void =>
    testsOnClear(ground)(title, async (g) => {
      const netns = uniqueName();
      run('ip', ['netns', 'add', netns]);
      try {
        await work(g, netns);
      } finally {
        run('ip', ['netns', 'del', netns]);
      }
    });
}
