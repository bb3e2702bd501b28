import { expect, it } from 'vitest';
import { hooks } from '../../src/bench/scenarios/probes/hooks.js';
import { netkit } from '../support/cli.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { measured } from './bench-ground.js';

describeAsRoot('netkit bench probes', () => {
  expectUnchangedAfterAll();

  it('measures every hook that the kernel has with a program that ran as often as it should, and names the others', () => {
    const { groups, notes } = measured('probes', ['--seconds', '1']);
    const variants = groups
      .filter(({ name }) => !name.startsWith('added-'))
      .flatMap((group) => group.variants);
    for (const { name, title } of hooks) {
      const own = variants.filter((each) => each.name === name || each.name === `${name} counting`);
      if (own.length === 0) {
        expect(notes).toContainEqual(expect.stringContaining(`Left out: ${title}, since `));
        continue;
      }
      expect(own.map((each) => each.name)).toEqual([name, `${name} counting`]);
      for (const { checks, samples } of own) {
        // An emulated CPU does not keep up with the clock, which makes that hook invalid.
        const keepsUp = name !== 'perf-event' || checks[0]?.ok === true;
        expect(checks, name).toMatchObject([
          { name: 'runs', ok: keepsUp },
          { name: 'detached', ok: true },
        ]);
        expect(samples.length > 0, name).toBe(keepsUp);
      }
    }
    // Whatever else a kernel bars, it has these.
    for (const name of ['raw-tracepoint', 'packet-raw-tracepoint'])
      expect(variants.map((each) => each.name)).toContain(name);
  }, 300_000);

  it('says what each adds, beside the operations as they were measured', () => {
    const { groups } = measured('probes', [
      '--only',
      'raw-tracepoint,packet-raw-tracepoint',
      '--seconds',
      '4',
    ]);
    expect(groups.map(({ name, metrics }) => [name, metrics.map((metric) => metric.name)])).toEqual([
      ['added-call', ['added']],
      ['added-packet', ['added']],
      ['call', ['time']],
      ['packet', ['time']],
    ]);
    const rolesOf = (group: string) =>
      groups.find(({ name }) => name === group)?.variants.map(({ name, role }) => [name, role]);
    expect(rolesOf('added-call')).toEqual([
      ['raw-tracepoint', 'reference'],
      ['raw-tracepoint again', 'control'],
      ['raw-tracepoint counting', 'variant'],
    ]);
    expect(rolesOf('call')?.slice(0, 2)).toEqual([
      ['nothing', 'reference'],
      ['nothing again', 'control'],
    ]);
  });

  it('refuses a hook that there is not', () => {
    expect(netkit(['bench', 'probes', '--only', 'kprobes'])).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/there is no hook 'kprobes'[\s\S]*kprobe/),
    });
  });
});
