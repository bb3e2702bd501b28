import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NetkitError } from '../../../../src/base/errors.js';
import { readManifests } from '../../../../src/cnf/manifest/read.js';
import { describeWith } from '../../../support/requirements.js';
import { functionWith, inFolder, linesOf, problemsOf, read } from './reading.js';

const example = `# What the issue shows.
apiVersion: netkit/v1
kind: NetworkFunction
metadata: { name: edge-firewall, labels: { tier: edge, version: 1.10 } }
spec:
  program: { source: ./firewall.bpf.c, defines: { SLOTS: 010 } }
  globals: { default_action: drop, top: 18446744073709551616 }
  maps:
    blocklist: { maxEntries: 200000, entries: { 10.0.0.0/8: { action: drop }, 010: [0x1F, ~x] } }
  attach:
    - { program: firewall, hook: xdp, interfaces: [eth0, "veth*"], mode: auto, priority: 20, proceedOn: [pass] }
  metrics: [ { map: stats, name: packets_total, type: counter, labels: [verdict] } ]
  health: { probe: { map: stats, key: error, op: "==", value: 0 }, settle: 5s }
---
apiVersion: netkit/v1
kind: Chain
metadata: { name: edge }
spec: { interface: eth0, hook: xdp, functions: [edge-firewall, { name: edge-limiter, proceedOn: [] }] }
`;

const chain = (name: string) =>
  `apiVersion: netkit/v1\nkind: Chain\nmetadata: {name: ${name}}\nspec: {interface: eth0, hook: xdp, functions: [a]}\n`;

async function rejection(reading: Promise<unknown>): Promise<NetkitError> {
  const thrown: unknown = await reading.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof NetkitError) return thrown;
  throw new Error(`not refused as it should be: ${String(thrown)}`);
}

describe('a manifest', () => {
  it('gives its documents, with values as they are written', async () => {
    expect(await read(example)).toEqual([
      {
        apiVersion: 'netkit/v1',
        kind: 'NetworkFunction',
        metadata: { name: 'edge-firewall', labels: { tier: 'edge', version: '1.10' } },
        spec: {
          program: { source: './firewall.bpf.c', defines: { SLOTS: '010' } },
          globals: { default_action: 'drop', top: '18446744073709551616' },
          maps: {
            blocklist: {
              maxEntries: 200_000,
              entries: { '10.0.0.0/8': { action: 'drop' }, '010': ['0x1F', '~x'] },
            },
          },
          attach: [
            {
              program: 'firewall',
              hook: 'xdp',
              interfaces: ['eth0', 'veth*'],
              mode: 'auto',
              priority: 20,
              proceedOn: ['pass'],
            },
          ],
          metrics: [{ map: 'stats', name: 'packets_total', type: 'counter', labels: ['verdict'] }],
          health: { probe: { map: 'stats', key: 'error', op: '==', value: '0' }, settle: '5s' },
        },
      },
      {
        apiVersion: 'netkit/v1',
        kind: 'Chain',
        metadata: { name: 'edge' },
        spec: {
          interface: 'eth0',
          hook: 'xdp',
          functions: ['edge-firewall', { name: 'edge-limiter', proceedOn: [] }],
        },
      },
    ]);
  });

  it('says where its values stand, and what is around those that are not there', async () => {
    await inFolder(async (folder) => {
      writeFileSync(join(folder, 'fw.yaml'), example);
      const { documents } = await readManifests([join(folder, 'fw.yaml')]);
      const [first, second] = documents;
      expect(first?.at(['spec', 'attach', 0, 'priority'])).toEqual({ line: 11, column: 90 });
      expect(first?.at(['spec', 'maps', 'blocklist', 'entries', '10.0.0.0/8', 'action'])).toEqual({
        line: 9,
        column: 71,
      });
      expect(first?.at(['spec', 'maps', 'blocklist', 'entries', '010', 1])).toEqual({ line: 9, column: 91 });
      expect(first?.at(['spec', 'health', 'interval'])).toEqual({ line: 13, column: 11 });
      expect(second?.at([])).toEqual({ line: 15, column: 1 });
      expect(second?.problem(['spec', 'functions', 1, 'name'], 'there is no such function')).toEqual({
        file: join(folder, 'fw.yaml'),
        line: 18,
        column: 72,
        path: 'spec.functions[1].name',
        message: 'there is no such function',
        expected: null,
      });
    });
  });

  it('with ten different mistakes is refused with each of them at its place', async () => {
    const text = `apiVersion: netkit/v2
kind: NetworkFunction
metadata: { name: Edge }
spec:
  program: { source: fw.c, object: fw.o }
  globals: { action: }
  maps:
    blocklist: { maxEntries: 0, entrys: {} }
  attach:
    - { hook: xdp, interfaces: [eth0], priority: high }
    - { hook: xdb, interfaces: [eth1] }
  health: { settle: 5 }
---
apiVersion: netkit/v1
kind: Chian
`;
    const expected = [
      "fw.yaml:1:13: apiVersion: expected 'netkit/v1', not 'netkit/v2'",
      "fw.yaml:3:19: metadata.name: expected a name of lower-case letters, digits, - and _ (63 at most, a letter or digit first), not 'Edge'",
      "fw.yaml:5:12: spec.program: expected exactly one of 'source', 'object' and 'builtin'",
      'fw.yaml:6:14: spec.globals.action: expected a value, not nothing',
      'fw.yaml:8:30: spec.maps.blocklist.maxEntries: expected a whole number from 1 to 4294967295, not 0',
      "fw.yaml:8:33: spec.maps.blocklist.entrys: unknown field: did you mean 'entries'?",
      "fw.yaml:10:50: spec.attach[0].priority: expected a whole number (on most hooks from 1 to 65535), not 'high'",
      "fw.yaml:11:15: spec.attach[1].hook: expected the name of a hook, such as 'xdp' or 'tcx/ingress', not 'xdb': did you mean 'xdp'?",
      "fw.yaml:12:21: spec.health.settle: expected a duration such as '5s', '500ms' or '2m', not 5",
      "fw.yaml:15:7: kind: expected 'NetworkFunction' or 'Chain', not 'Chian': did you mean 'Chain'?",
    ];
    expect(await problemsOf(text)).toEqual(expected);

    const error = await rejection(read(text));
    expect(error.exitStatus).toBe(1);
    expect(error.message).toMatch(
      /^\/.*fw\.yaml:1:13: apiVersion: expected 'netkit\/v1', not 'netkit\/v2' and 9 more$/,
    );
    expect(error.details.problems).toHaveLength(10);
    expect(error.details.problems).toContainEqual({
      file: expect.stringMatching(/^\/.*\/fw\.yaml$/),
      line: 10,
      column: 50,
      path: 'spec.attach[0].priority',
      message: "expected a whole number (on most hooks from 1 to 65535), not 'high'",
      expected: 'a whole number (on most hooks from 1 to 65535)',
    });
  });

  it('is refused for a name that another document has, and both places are named', async () => {
    expect(await problemsOf(`${functionWith('')}---\n${chain('fw')}`)).toEqual([
      "fw.yaml:10:18: metadata.name: the name 'fw' is taken by another document, at fw.yaml:3:18",
    ]);
  });
});

describe('several files', () => {
  it('of a folder are read in order of name, without hidden ones and those of other kinds', async () => {
    await inFolder(async (folder) => {
      const below = join(folder, 'below');
      mkdirSync(join(below, 'sub.yaml'), { recursive: true });
      writeFileSync(join(below, 'b.yml'), chain('b'));
      writeFileSync(join(below, 'a.yaml'), chain('a'));
      writeFileSync(join(below, 'c.json'), JSON.stringify((await read(chain('c')))[0]));
      writeFileSync(join(below, '.hidden.yaml'), 'no: manifest');
      writeFileSync(join(below, 'README.md'), 'no manifest');
      writeFileSync(join(folder, 'first.txt'), chain('first'));
      symlinkSync('a.yaml', join(below, 'z.txt'));
      const manifest = await readManifests([join(folder, 'first.txt'), below]);
      expect(manifest.files.map(({ path }) => path)).toEqual(
        ['first.txt', 'below/a.yaml', 'below/b.yml', 'below/c.json'].map((path) => join(folder, path)),
      );
      expect(
        manifest.documents.map(({ document, file, folder: from }) => [document.metadata.name, file, from]),
      ).toEqual([
        ['first', join(folder, 'first.txt'), folder],
        ['a', join(below, 'a.yaml'), below],
        ['b', join(below, 'b.yml'), below],
        ['c', join(below, 'c.json'), below],
      ]);
    });
  });

  it('are refused together, with what is wrong in each, and names shared between them', async () => {
    await inFolder(async (folder) => {
      writeFileSync(join(folder, 'a.yaml'), `${chain('one')}---\n${functionWith('  maps: 5')}`);
      writeFileSync(join(folder, 'b.yaml'), `${chain('one')}---\n[`);
      writeFileSync(join(folder, 'c.yaml'), chain('one'));
      const error = await rejection(readManifests([folder]));
      expect(linesOf(error)).toEqual([
        'a.yaml:11:9: spec.maps: expected maps by name (a mapping), not 5',
        'b.yaml:6:2: not YAML: flow sequence must end with a ]',
        "c.yaml:3:18: metadata.name: the name 'one' is taken by another document, at a.yaml:3:18",
      ]);
    });
  });

  it('that are not there, or none in a folder, are not found', async () => {
    await inFolder(async (folder) => {
      expect(await rejection(readManifests([join(folder, 'none.yaml')]))).toMatchObject({
        code: 'not-found',
        message: `cannot read '${folder}/none.yaml': there is no such file or directory`,
      });
      expect(await rejection(readManifests([folder]))).toMatchObject({
        code: 'not-found',
        message: `there is no manifest in '${folder}'`,
      });
    });
  });
});

describe('standard input and pipes', () => {
  async function* pieces(...texts: (string | Uint8Array)[]) {
    yield* texts;
  }

  it('are read whole, cut anywhere, also within a character', async () => {
    const bytes = Buffer.from(chain('a').replace('metadata:', '# ü\nmetadata:'));
    const at = bytes.indexOf(0xc3) + 1;
    const { files, documents } = await readManifests(['-'], {
      stdin: pieces(bytes.subarray(0, at), bytes.subarray(at)),
    });
    expect(files).toEqual([{ path: null, folder: process.cwd() }]);
    expect(documents.map(({ document }) => document.metadata.name)).toEqual(['a']);
  });

  it('are named in errors', async () => {
    const error = await rejection(readManifests(['-'], { stdin: pieces('a: [') }));
    expect(error.message).toMatch(/^<stdin>:1:5: not YAML: /);
    expect(error.details.problems).toMatchObject([{ file: null, line: 1 }]);
    expect(await rejection(readManifests(['-', '-']))).toMatchObject({ code: 'usage' });
  });

  it('that are FIFOs are waited for, and an abort ends the wait', async () => {
    await inFolder(async (folder) => {
      const fifo = join(folder, 'fifo');
      expect(spawnSync('mkfifo', [fifo]).status).toBe(0);
      chmodSync(fifo, 0o600);
      const [{ documents }] = await Promise.all([readManifests([fifo]), writeFile(fifo, chain('piped'))]);
      expect(documents.map(({ document, folder: from }) => [document.metadata.name, from])).toEqual([
        ['piped', process.cwd()],
      ]);
      const controller = new AbortController();
      const waiting = readManifests([fifo], { signal: controller.signal });
      const outcome = waiting.then(
        () => 'read',
        () => 'ended',
      );
      setTimeout(() => controller.abort(), 50);
      expect(await outcome).toBe('ended');
    });
  });
});

const asRoot = {
  check: () => (process.geteuid?.() === 0 ? undefined : 'root, who alone is told what to do by files'),
};

describeWith(asRoot, 'run as root', () => {
  it('a file, a FIFO or a folder that others can write is refused, and nothing of it is read', async () => {
    await inFolder(async (folder) => {
      const path = (name: string) => join(folder, name);
      writeFileSync(path('a.yaml'), 'not: [read');
      chmodSync(path('a.yaml'), 0o666);
      expect(spawnSync('mkfifo', ['-m', '666', path('fifo')]).status).toBe(0);
      mkdirSync(path('open'));
      chmodSync(path('open'), 0o777);
      for (const [name, what] of [
        ['a.yaml', 'manifest'],
        ['fifo', 'manifest'],
        ['open', 'folder'],
      ]) {
        const error = await rejection(readManifests([path(name ?? '')]));
        expect(error.message).toMatch(
          `the ${what} '${path(name ?? '')}' is not trusted: it can be written by everybody`,
        );
        expect(error.exitStatus).toBe(4);
      }
      expect(await rejection(readManifests([folder]))).toMatchObject({ code: 'not-permitted' });
    });
  });
});
