import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { analyse } from '../../src/bench/analysis.js';
import { compare } from '../../src/bench/compare.js';
import type { BenchDocument } from '../../src/bench/document.js';
import { type CliResult, netkit } from '../support/cli.js';
import { noisySeries, replay } from '../support/replay.js';
import { expectValid } from '../support/schema.js';

/** What is measured drifts by half, as on a machine that others use too. */
const drifting = noisySeries(3, 1200).find(({ name }) => name === 'drift');
const usual = { twice: 2, half: 0.5 };

function measured(seed: number, variants: Record<string, number> = usual): BenchDocument {
  if (drifting === undefined) throw new Error('there is no such series');
  return analyse(replay(drifting, { seed, blocks: 40, variants }));
}

describe('netkit bench compare', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'netkit-compare-'));
    write('old.json', measured(1));
    write('again.json', measured(2));
    write('slower.json', measured(3, { ...usual, half: 0.4 }));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function write(name: string, document: BenchDocument | string): void {
    writeFileSync(join(folder, name), typeof document === 'string' ? document : JSON.stringify(document));
  }
  const run = (...args: string[]): CliResult => netkit(['bench', 'compare', ...args], { cwd: folder });

  it('says nothing of a second run of the same, with status 0', () => {
    const result = run('old.json', 'again.json');
    expect(result).toMatchObject({ status: 0, stderr: '' });
    expect(result.stdout).toMatch(/^twice +[\d.]+ k? ?runs\/s .* within noise$/m);
    expect(result.stdout).toMatch(/2 figures compared: no regression beyond noise\n$/);
    expect(run('old.json', 'again.json', '--quiet')).toMatchObject({ status: 0, stderr: '' });
  });

  it('finds a planted regression, shows it in its row, and ends with status 8', () => {
    const result = run('old.json', 'slower.json');
    expect(result).toMatchObject({ status: 8, stderr: '' });
    expect(result.stdout).toMatch(/^half .* −(1\d|2\d) % +−\d+ % … −\d+(\.\d)? % +±[\d.]+ % +slower$/m);
    expect(result.stdout).toMatch(/^twice .* within noise$/m);
    expect(result.stdout).toMatch(/2 figures compared: 1 regression beyond noise\n$/);
    // And the other way round it is an improvement.
    expect(run('slower.json', 'old.json')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^half .* faster$/m),
    });
  });

  it('gives a closed document with every figure', () => {
    const result = run('old.json', 'slower.json', '--json');
    expect(result).toMatchObject({ status: 8, stderr: '' });
    const document = result.json();
    expectValid('bench compare', document);
    expect(document).toMatchObject({
      old: { file: 'old.json', scenario: 'replay', kernel: '6.18.0' },
      new: { file: 'slower.json' },
      regressions: 1,
      changes: [
        { variant: 'reference', verdict: 'reference', basis: 'value' },
        { variant: 'twice', verdict: 'within noise', basis: 'ratio' },
        { variant: 'half', verdict: 'slower', better: 'higher', before: expect.any(Number) },
      ],
    });
    // What the library says: the command adds nothing of its own.
    const [, , half] = compare(measured(1), measured(3, { ...usual, half: 0.4 })).changes;
    expect(document).toMatchObject({ changes: [{}, {}, { ratio: { median: half?.ratio?.median } }] });
  });

  it('takes smaller changes for noise when told to, and compares values when told to', () => {
    expect(run('old.json', 'slower.json', '--least', '40').status).toBe(0);
    const slower = measured(2);
    const halved = slower.groups.map((group) => ({
      ...group,
      variants: group.variants.map((variant) => ({
        ...variant,
        samples: variant.samples.map((sample) => ({
          ...sample,
          values: { main: (sample.values['main'] ?? 0) / 5 },
        })),
      })),
    }));
    write('fifth.json', { ...slower, groups: halved });
    const result = run('old.json', 'fifth.json');
    expect(result.status).toBe(0);
    expect(result.stderr).toContain('reference, to which the others are compared, differs itself');
    expect(run('old.json', 'fifth.json', '--values').status).toBe(8);
  });

  it('warns of what else is different, and of what only one run has', () => {
    const { environment, ...other } = measured(2, { twice: 2, more: 3 });
    const kernel = { ...environment.kernel, release: '7.2.0' };
    const machine = { ...environment.machine, cpu: 'another CPU' };
    write('elsewhere.json', { ...other, scenario: 'else', environment: { ...environment, kernel, machine } });
    const result = run('old.json', 'elsewhere.json');
    expect(result.status).toBe(0);
    for (const text of [
      'variant of drift: only the old run has half',
      'variant of drift: only the new run has more',
      'scenario: replay before, else now',
      'kernel: 6.18.0 before, 7.2.0 now',
      'CPU: a CPU before, another CPU now',
    ])
      expect(result.stderr).toContain(text);
  });

  it('names the place in a file that is no report', () => {
    const text = JSON.stringify(measured(1), null, 1);
    const wrong = { ...measured(1), seed: -4 };
    const cases: [string, string, RegExp][] = [
      ['empty.json', '', /'empty\.json'.*empty/],
      ['text.json', 'not JSON at all', /line 1, column 1/],
      ['cut.json', text.slice(0, text.length / 2), /cut off: it ends in line \d+, column \d+/],
      ['newer.json', JSON.stringify({ ...measured(1), schemaVersion: 2 }), /schemaVersion: it is 2/],
      ['other.json', '{"schemaVersion":1,"functions":[]}', /at scenario/],
      ['list.json', '[1,2]', /no document of a benchmark/],
      ['wrong.json', JSON.stringify(wrong), /at seed/],
    ];
    for (const [name, content, said] of cases) {
      write(name, content);
      for (const args of [
        ['old.json', name],
        [name, 'old.json'],
      ]) {
        const result = run(...args);
        expect(result, name).toMatchObject({ status: 1, stdout: '' });
        expect(result.stderr).toMatch(said);
        expect(result.stderr).toContain(name);
      }
    }
  });

  it('names files that are not there, not files, or not for the user', () => {
    expect(run('old.json', 'none.json')).toMatchObject({ status: 3, stdout: '' });
    expect(run('old.json', '.')).toMatchObject({ status: 2, stdout: '' });
    expect(run('old.json', '/dev/zero')).toMatchObject({ status: 1, stdout: '' });
    expect(run('old.json').status).toBe(2);
    expect(run('old.json', 'again.json', '--least', 'x').status).toBe(2);
  });

  it('fails on two runs with nothing in common, or with too little to say anything', () => {
    const renamed = measured(2).groups.map((group) => ({ ...group, name: 'else' }));
    write('else.json', { ...measured(2), groups: renamed });
    expect(run('old.json', 'else.json')).toMatchObject({ status: 1, stdout: '' });
    expect(run('old.json', 'else.json').stderr).toContain('have nothing in common');
    const few = measured(2).groups.map((group) => ({
      ...group,
      variants: group.variants.map((variant) => ({ ...variant, samples: variant.samples.slice(0, 5) })),
    }));
    write('few.json', { ...measured(2), groups: few });
    expect(run('old.json', 'few.json').stderr).toContain(
      "nothing of 'old.json' and 'few.json' can be compared",
    );
  });
});
