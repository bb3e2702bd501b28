// What apply and plan refuse of manifests: each mistake is named with its place, nothing is half done, what runs goes on.
import { chmodSync, chownSync, readFileSync, rmSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { applied, badManifest, refused, running } from './apply-bad-ground.js';
import { errorOf, fixture } from './ground.js';
import { attachedTo, functionOf, type ManifestGround } from './manifest-ground.js';
import { compileBeforeAll } from './objects.js';
import { pinTheirs } from './other-tools.js';
import { conflict, notFound, notPermitted } from './refusal.js';

const placed = z.array(
  z.looseObject({ line: z.int(), column: z.int(), path: z.string(), message: z.string() }),
);

/** Line and column of the n-th time that something stands in a text. */
function placeOf(text: string, what: string, time = 1): { readonly line: number; readonly column: number } {
  let at = -1;
  for (let count = 0; count < time; count++) at = text.indexOf(what, at + 1);
  if (at < 0) throw new Error(`no ${what}`);
  const before = text.slice(0, at).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/** Where it stands (which time), the path, what is wrong. */
type Mistake = readonly [string, number, string, RegExp];

function expectMistakes(g: ManifestGround, text: string, mistakes: readonly Mistake[]): void {
  g.writes('m.yaml', text);
  for (const command of ['plan', 'apply']) {
    const result = g.ground.netkit(command, '-f', g.file('m.yaml'), '--json');
    expect(result.status, result.stderr).toBe(1);
    const { code, details } = errorOf(result);
    expect(code).toBe('bad-manifest');
    const problems = placed.parse(details.problems);
    expect(problems.map(({ line, column, path }) => ({ line, column, path }))).toEqual(
      mistakes.map(([what, time, path]) => ({ ...placeOf(text, what, time), path })),
    );
    for (const [index, [, , , says]] of mistakes.entries()) expect(problems[index]?.message).toMatch(says);
    const lines = g.ground.netkit(command, '-f', g.file('m.yaml')).stderr.trimEnd().split('\n');
    expect(lines).toHaveLength(mistakes.length);
    for (const [index, line] of lines.entries()) {
      const { line: row = 0, column = 0, path = '' } = problems[index] ?? {};
      expect(line).toContain(`m.yaml:${row}:${column}: ${path}: `);
    }
  }
}

describeAsRoot('a wrong manifest', () => {
  const objects = { object: '', heavier: '', refused: '', wide: '' };

  expectUnchangedAfterAll();
  compileBeforeAll(async (compiler) => {
    const compile = (...defines: string[]) => compiler.compile('test/fixtures/fields.bpf.c', defines);
    objects.object = await compile();
    objects.heavier = await compile('STEP=2');
    objects.refused = await compile('REFUSED');
    objects.wide = await compile('WORD=__u64');
  });

  it('of ten mistakes and more has each named with its place', async () => {
    await running(objects, async (g) => {
      expectMistakes(
        g,
        `apiVersion: netkit/v2
kind: NetworkFunction
metadata: { name: Edge_1, label: {} }
spec:
  program: { source: a.bpf.c, object: b.o }
  maps:
    words: { maxEntries: 0, entries: { 1: 2 }, from: x.csv }
    others: { exact: true }
  attach:
    - { interfaces: [eth0], hook: xpd, priority: 70000 }
    - { netns: blue }
    - { hook: xdp, interfaces: [eth0], target: x, proceedOn: [pas] }
  health: { settle: 5 }
`,
        [
          ['netkit/v2', 1, 'apiVersion', /expected 'netkit\/v1', not 'netkit\/v2'/],
          ['Edge_1', 1, 'metadata.name', /lower-case letters.*not 'Edge_1'/],
          ['label:', 1, 'metadata.label', /unknown field: did you mean 'labels'/],
          ['{ source', 1, 'spec.program', /exactly one of 'source', 'object' and 'builtin'/],
          ['0, entries', 1, 'spec.maps.words.maxEntries', /a whole number from 1/],
          ['from:', 1, 'spec.maps.words.from', /'entries' and 'from' exclude each other/],
          ['exact:', 1, 'spec.maps.others.exact', /needs 'entries' or 'from'/],
          ['xpd', 1, 'spec.attach[0].hook', /the name of a hook.*not 'xpd'/],
          ['70000', 1, 'spec.attach[0].priority', /from 1 to 65535/],
          ['{ netns', 1, 'spec.attach[1]', /needs one of 'program', 'hook'/],
          ['target:', 1, 'spec.attach[2].target', /exclude each other/],
          ['pas]', 1, 'spec.attach[2].proceedOn[0]', /did you mean 'pass'/],
          ['5 }', 1, 'spec.health.settle', /a duration such as '5s'/],
        ],
      );
    });
  });

  it('has everything named that does not fit its object, each with its place', async () => {
    await running(objects, async (g) => {
      expectMistakes(
        g,
        `apiVersion: netkit/v1
kind: NetworkFunction
metadata: { name: f }
spec:
  program: { object: ${g.object}, only: [one, nine], targets: { one: vfs_read } }
  globals: { stepp: 1, verdict: many }
  maps:
    word: { maxEntries: 3 }
    words: { entries: { x: 1, 2: { a: 3 }, 5: 6 }, keep: true }
    netkit_chain: { entries: { 1: 2 } }
    tallies: { keep: true }
  attach:
    - { program: eleven, target: /x }
    - { hook: sockops, target: /x }
  metrics:
    - { map: nothing, name: a_total, type: counter }
    - { map: pairs, name: b_total, type: counter }
    - { map: pairs, name: c_total, type: counter, field: c, labels: [x, y, z] }
  health: { probe: { map: words, key: [1], op: '<', value: few } }
`,
        [
          ['[one, nine]', 1, 'spec.program.only', /no program 'nine'/],
          ['vfs_read', 1, 'spec.program.targets.one', /'one' .* takes no target/],
          ['1, verdict', 1, 'spec.globals.stepp', /no global variable 'stepp'/],
          ['many', 1, 'spec.globals.verdict', /'many'/],
          ['{ maxEntries', 1, 'spec.maps.word', /no map 'word'/],
          ['1, 2:', 1, 'spec.maps.words.entries.x', /'x'/],
          ['{ a: 3 }', 1, 'spec.maps.words.entries.2', /value: an object is not an integer/],
          ['{ 1: 2 }', 1, 'spec.maps.netkit_chain.entries', /its entries are programs/],
          ['eleven', 1, 'spec.attach[0].program', /no program 'eleven'/],
          ['{ hook: sockops', 1, 'spec.attach[1]', /no program for sockops/],
          ['nothing', 1, 'spec.metrics[0].map', /no map 'nothing'/],
          ['{ map: pairs', 1, 'spec.metrics[1]', /more than one member.*'field'/],
          ['c, labels', 1, 'spec.metrics[2].field', /no member 'c'/],
          ['[x, y, z]', 1, 'spec.metrics[2].labels', /3 labels.*2 members/],
          ['[1]', 1, 'spec.health.probe.key', /./],
          ['few', 1, 'spec.health.probe.value', /'few' is no whole number/],
        ],
      );
    });
  });

  it('is named where its source does not compile, with the line of the source', async () => {
    await running(objects, async (g) => {
      g.writes('broken.bpf.c', '#include <linux/bpf.h>\nint broken(void) {\n  return nothing;\n}\n');
      g.declares([functionOf({ program: { source: 'broken.bpf.c' } })]);
      const says = /manifests\/broken\.bpf\.c:3:10: .*'nothing'/;
      await refused(g, { status: 1, code: 'compile-failed', says });
    });
  });

  it('is refused where the verifier refuses the new program', async () => {
    await running(objects, async (g) => {
      const [document] = applied(g);
      g.declares([functionOf({ ...document?.spec, program: { object: objects.refused, only: ['one'] } })]);
      const status = { status: 7, code: 'verifier-refused' } as const;
      await refused(g, { ...status, says: /one/, before: /^/ }, { plans: 8 });
    });
  });

  it('is refused where a map can be neither kept nor migrated, and `keep: false` is the way out', async () => {
    await running(objects, async (g) => {
      const [document] = applied(g);
      const wide = { ...document?.spec, program: { object: objects.wide, only: ['one'] } };
      g.declares([functionOf({ ...wide, maps: {} })]);
      const says = /words/;
      await refused(g, { ...conflict, says, hints: /'keep: false' for 'words'/ }, { plans: 8 });
      g.declares([functionOf({ ...wide, maps: { words: { keep: false, entries: { 1: 2 } } } })]);
      g.applies();
      expect(g.entries('words')).toEqual({ '0100000000000000': '0200000000000000' });
      expect(await g.arriving()).toEqual({ one: 1 });
    });
  });

  it('fails for an interface that is not there, or waits for it and says so', async () => {
    await running(objects, async (g) => {
      const [document] = applied(g);
      const places = (missing: string | undefined) => [
        attachedTo(g, 'one'),
        attachedTo(g, 'one', { interfaces: ['later0'], ...(missing === undefined ? {} : { missing }) }),
      ];
      for (const missing of [undefined, 'fail']) {
        g.declares([functionOf({ ...document?.spec, attach: places(missing) })]);
        await refused(g, {
          ...notFound,
          says: /m\.yaml:\d+:\d+: spec\.attach\[1\]\.interfaces\[0\]: there is no interface 'later0' in netns /,
          hints: /'missing: wait' waits/,
        });
      }
      g.declares([functionOf({ ...document?.spec, attach: places('wait') })]);
      const waiting = [{ program: 'one', target: 'later0', netns: g.ground.netns.name }];
      expect(g.plans().functions).toMatchObject([{ waiting }]);
      expect(g.ground.does('apply', '-f', g.file('m.yaml')).stdout).toMatch(
        /f waits for .* of later0 in netns/,
      );
      expect(g.plans()).toMatchObject({ pending: false, functions: [{ waiting }] });
      g.ground.netns.run('ip', ['link', 'add', 'later0', 'type', 'veth', 'peer', 'name', 'later1']);
      expect(g.plans()).toMatchObject({ pending: true, functions: [{ waiting: [], changes: [] }] });
      g.applies();
      const targets = g.ground.list().flatMap(({ links }) => links.map(({ target }) => target));
      expect(targets.filter((target) => target?.includes('later0'))).toHaveLength(1);
      g.ground.netns.run('ip', ['link', 'del', 'later0']);
      expect(g.plans().functions).toMatchObject([{ waiting }]);
    });
  });

  it('is refused where another has the XDP hook, which plans note before', async () => {
    await running(objects, async (g) => {
      const { netns, ifname } = g.ground;
      const free = functionOf(
        {
          program: { object: g.object, only: ['xdp_one'] },
          attach: [{ program: 'xdp_one', hook: 'xdp', interfaces: [ifname], netns: netns.name }],
        },
        'free',
      );
      g.declares([...applied(g), free]);
      const planned = () => g.ground.netkit('plan', '-f', g.file('m.yaml'));
      expect(planned()).toMatchObject({ status: 8, stderr: '' });
      const pin = pinTheirs(g.ground, fixture('pass'));
      netns.run('ip', ['link', 'set', 'dev', ifname, 'xdp', 'pinned', pin]);
      expect(planned()).toMatchObject({
        status: 8,
        stderr: expect.stringMatching(
          /free\/xdp_one cannot be attached to xdp of .* 'pass', id \d+, is there/,
        ),
      });
      await refused(
        g,
        { status: 5, code: 'conflict', says: /has an XDP program already: 'pass'/ },
        { plans: 8 },
      );
      netns.run('ip', ['link', 'set', 'dev', ifname, 'xdp', 'off']);
      rmSync(pin);
      g.applies();
      // Its own program is no obstacle where it goes with the same plan.
      g.ground.does('off', ifname, '--netns', netns.name);
      expect(planned()).toMatchObject({ status: 8, stderr: '' });
    });
  });

  it('is refused where others could have written it, or what it names', async () => {
    await running(objects, async (g) => {
      const files = {
        manifest: 'm.yaml',
        source: 'own.bpf.c',
        header: 'inc/own.h',
        folder: 'inc',
        entries: 'e.csv',
        object: 'own.bpf.o',
      };
      const source =
        '#include <linux/bpf.h>\n#include "own.h"\nchar LICENSE[] __attribute__((section("license"))) = "GPL";\n';
      g.writes(files.source, source);
      g.writes(files.header, '\n');
      g.writes(files.entries, 'key,value\n1,2\n');
      g.writes(files.object, '');
      const own = g.file(files.object);
      g.copies(g.object, own);
      const manifests = {
        compiled: functionOf({ program: { source: files.source, includes: ['inc'] } }),
        loaded: functionOf({
          program: { object: files.object, only: ['one'] },
          maps: { words: { from: files.entries } },
        }),
      };
      const untrusted = async (file: string, manifest: keyof typeof manifests, change: 'mode' | 'owner') => {
        g.declares([manifests[manifest]]);
        const path = g.file(file);
        if (change === 'mode') chmodSync(path, 0o777);
        else chownSync(path, 65_534, 0);
        const why = change === 'mode' ? 'can be written' : 'belongs to user 65534';
        await refused(g, { ...notPermitted, says: new RegExp(`${file}.*${why}`) });
        chmodSync(path, 0o700);
        chownSync(path, 0, 0);
      };
      await untrusted(files.manifest, 'loaded', 'mode');
      await untrusted(files.manifest, 'loaded', 'owner');
      await untrusted(files.object, 'loaded', 'owner');
      await untrusted(files.entries, 'loaded', 'mode');
      await untrusted(files.source, 'compiled', 'owner');
      await untrusted(files.folder, 'compiled', 'mode');
      await untrusted(files.header, 'compiled', 'owner');
      expect(readFileSync(g.file(files.source), 'utf8')).toBe(source);
    });
  });

  it('of entries is refused: a wrong key, a wrong value, one twice, too many', async () => {
    await running(objects, async (g) => {
      const [document] = applied(g);
      const declare = (words: object) => {
        g.declares([functionOf({ ...document?.spec, maps: { words } })]);
      };
      const many = (count: number) =>
        Object.fromEntries(Array.from({ length: count }, (_, index) => [index, 1]));
      declare({ entries: { 1: 1, x: 2 } });
      await refused(g, badManifest(/spec\.maps\.words\.entries\.x: /));
      declare({ entries: { 1: 1, 2: -1 } });
      await refused(g, badManifest(/spec\.maps\.words\.entries\.2: /));
      declare({ entries: { 1: 1, '0x1': 2 } });
      await refused(g, badManifest(/spec\.maps\.words\.entries\.0x1: .*(twice|already)/));
      declare({
        entries: [
          { key: 1, value: 1 },
          { key: '0x1', value: 2 },
        ],
      });
      await refused(g, badManifest(/spec\.maps\.words\.entries\[1\].*: .*(twice|already)/));
      declare({ entries: many(101) });
      await refused(
        g,
        badManifest(/spec\.maps\.words\.entries: map 'words' holds 100 entries, and 101 are given/),
      );
      declare({ maxEntries: 20_000, entries: many(10_001) });
      await refused(g, badManifest(/at most 10000 entries.*not 10001/));
      g.writes('bad.csv', 'key,value\n1,1\nx,2\n');
      declare({ from: 'bad.csv' });
      await refused(g, badManifest(/spec\.maps\.words\.from: .*bad\.csv: line 3, column 1: /));
      declare({ from: 'none.csv' });
      await refused(g, badManifest(/spec\.maps\.words\.from: .*none\.csv/));
    });
  });
});
