import { describe, expect, it, vi } from 'vitest';
import type { FeatureDocument } from '../../src/cli/feature-document.js';
import type { Capability } from '../../src/host/capabilities.js';
import { expectUnchanged, snapshotKernelState } from '../support/kernel-state.js';
import { without } from '../support/lesser-rights.js';
import { describeAsRoot } from '../support/requirements.js';

const sections = ['programs', 'maps', 'hooks', 'helpers', 'kfuncs', 'misc', 'interfaces'] as const;

/** With modules of its own: conclusive answers are kept for the life of a process. */
async function look(lacking: readonly Capability[]): Promise<FeatureDocument> {
  vi.resetModules();
  const { featureDocument } = await import('../../src/cli/feature-document.js');
  return without(lacking, () => featureDocument({ sections: new Set(sections) }));
}

interface Answer {
  readonly available: boolean | null;
  readonly reason: string | null;
}

function answers(document: FeatureDocument): Map<string, Answer> {
  const { programTypes, mapTypes, hooks, helpers, kfuncs, misc } = document;
  const lists = { programTypes, mapTypes, hooks, helpers, kfuncs, misc };
  return new Map(
    Object.entries(lists).flatMap(([list, all]) =>
      (all ?? []).map((each) => [`${list} ${each.name}`, each] as const),
    ),
  );
}

const levels: readonly (readonly [string, readonly Capability[]])[] = [
  ['no right to bpf(2)', ['bpf', 'sys_admin', 'perfmon', 'net_admin']],
  ['no right to networking', ['sys_admin', 'net_admin']],
  ['no right to look into the kernel', ['perfmon', 'sys_admin']],
];

describeAsRoot('netkit feature with lesser rights', () => {
  const lesser = new Map<string, Map<string, Answer>>();
  let all: Map<string, Answer>;

  it('is asked with each, and leaves nothing behind', async () => {
    const before = snapshotKernelState();
    for (const [level, names] of levels) lesser.set(level, answers(await look(names)));
    all = answers(await look([]));
    await expectUnchanged(before);
  });

  describe.each(levels)('with %s', (level) => {
    it('never denies what is there for who has all rights', () => {
      const denied = [...(lesser.get(level) ?? [])].filter(
        ([name, { available }]) => available === false && all.get(name)?.available === true,
      );
      expect(denied).toEqual([]);
    });

    it('never claims what is not', () => {
      const claimed = [...(lesser.get(level) ?? [])].filter(
        ([name, { available }]) => available === true && all.get(name)?.available === false,
      );
      expect(claimed).toEqual([]);
    });

    it('names the capability that it takes wherever it cannot know', () => {
      const open = [...(lesser.get(level) ?? [])].filter(
        ([name, { available }]) => available === null && all.get(name)?.available !== null,
      );
      expect(open.length).toBeGreaterThan(5);
      expect(open.filter(([, { reason }]) => !/CAP_[A-Z_]+/.test(reason ?? ''))).toEqual([]);
    });
  });

  it('still finds networking programs and maps with CAP_BPF and CAP_NET_ADMIN alone', () => {
    const found = lesser.get('no right to look into the kernel');
    for (const name of ['programTypes xdp', 'programTypes sched_cls', 'mapTypes hash', 'hooks xdp'])
      expect([name, found?.get(name)?.available]).toEqual([name, true]);
    expect(found?.get('programTypes tracing')?.available).toBeNull();
  });
});
