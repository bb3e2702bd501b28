import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { BenchDocument, BenchResult } from '../../src/bench/document.js';
import { type CliResult, netkit, startNetkit } from '../support/cli.js';
import { expectUnchanged, expectUnchangedAfterAll, snapshotKernelState } from '../support/kernel-state.js';
import { emulated } from '../support/known-kernels.js';
import { describeAsRoot } from '../support/requirements.js';
import { expectValid } from '../support/schema.js';

/** An emulated machine takes longer for as many blocks. */
const short = ['--seconds', emulated ? '20' : '4', '--seed', '11'];

/** What the tests measure, each with a section and a licence of its own object. */
const sources = {
  drop: 'return packet->data_end - packet->data > 100 ? XDP_PASS : XDP_DROP;',
  // The same verdicts, after a while.
  slow: `
  __u32 sum = 0;
  for (int round = 0; round < 200; round++)
    sum += bpf_get_smp_processor_id();
  return packet->data_end - packet->data > 100 || sum == 1 ? XDP_PASS : XDP_DROP;`,
  pass: 'return XDP_PASS;',
  marks: `
  __u8 *first = (void *)(long)packet->data;
  if (first + 1 > (__u8 *)(long)packet->data_end)
    return XDP_DROP;
  *first += 1;
  return XDP_DROP;`,
} as const;

describeAsRoot('netkit bench program', () => {
  let folder: string;
  expectUnchangedAfterAll();
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'netkit-program-'));
    for (const [name, body] of Object.entries(sources)) {
      writeFileSync(
        join(folder, `${name}.bpf.c`),
        `// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
SEC("xdp") int ${name}(struct xdp_md *packet)
{
  ${body}
}
char _license[] SEC("license") = "GPL";
`,
      );
    }
    const built = netkit(['build', ...Object.keys(sources).map((name) => `${name}.bpf.c`)], { cwd: folder });
    expect(`${built.status} ${built.stderr}`).toBe('0 ');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const run = (...args: string[]): CliResult => netkit(['bench', 'program', ...args], { cwd: folder });

  function measured(...args: string[]): BenchDocument {
    const result = run(...args, ...short, '--json');
    expect(`${result.status} ${result.stderr}`).toBe('0 ');
    const document = result.json();
    expectValid('bench program', document);
    return document as BenchDocument;
  }

  function resultOf({ results }: BenchDocument, variant: string, metric = 'time'): BenchResult {
    const found = results.find((each) => each.variant === variant && each.metric === metric);
    if (found === undefined) throw new Error(`no result of ${variant}`);
    return found;
  }

  it('measures a program beside an empty one, and says what it is made of', () => {
    const document = measured('slow.bpf.o');
    expect(document).toMatchObject({ scenario: 'program', seed: 11, ended: 'whole' });
    expect(document.groups[0]?.variants.map(({ name, role }) => [name, role])).toEqual([
      ['program', 'variant'],
      ['empty', 'reference'],
      ['control', 'control'],
    ]);
    expect(document.groups[0]?.variants[0]).toMatchObject({
      title: 'slow/slow',
      description: expect.stringMatching(/^\d+ instructions, \d+ bytes of native code, no maps$/),
      checks: [{ name: 'verdict', ok: true, detail: '1 packet: 1 drop' }],
    });
    expect(resultOf(document, 'program').verdict).toBe('slower');
    expect(resultOf(document, 'control').verdict).toBe('within noise');
    expect(resultOf(document, 'empty').median).toBeGreaterThan(1);
    expect(resultOf(document, 'program', 'instructions').median).toBeGreaterThan(5);
    expect(document.environment.placement).toHaveLength(1);
  });

  it('tells a slower program from the same one, when both do the same', () => {
    const slower = measured('slow.bpf.o', '--against', 'drop.bpf.o/drop');
    expect(slower.groups[0]?.variants.map(({ name, role }) => [name, role])).toEqual([
      ['program', 'variant'],
      ['against', 'reference'],
      ['control', 'control'],
      ['empty', 'variant'],
    ]);
    expect(resultOf(slower, 'program').verdict).toBe('slower');
    expect(slower.groups[0]?.variants[0]?.checks).toEqual([
      { name: 'verdict', ok: true, detail: '1 packet: 1 drop, as of drop/drop' },
      { name: 'packet', ok: true, detail: 'packets leave both as the same bytes' },
    ]);
    const faster = measured('drop.bpf.o', '--against', 'slow.bpf.o');
    expect(resultOf(faster, 'program').verdict).toBe('faster');
    const same = measured('drop.bpf.o', '--against', 'drop.bpf.o');
    // How sure it may be of that, test/unit/bench/replay.test.ts shows; here two copies lie in two places of memory.
    expect(Math.abs(Math.log(resultOf(same, 'program').ratio?.median ?? 0))).toBeLessThan(0.2);
  });

  it('times nothing of a program that does something else with a packet', () => {
    const packet = (bytes: number): string[] => ['--hex', '02'.repeat(bytes)];
    const verdicts = measured('pass.bpf.o', '--against', 'drop.bpf.o', ...packet(200), ...packet(64));
    expect(resultOf(verdicts, 'program')).toMatchObject({ verdict: 'invalid', count: 0 });
    expect(verdicts.groups[0]?.variants[0]?.samples).toEqual([]);
    expect(verdicts.summary.join(' ')).toContain('verdict: packet 2: pass, of drop/drop drop');
    const bytes = measured('marks.bpf.o', '--against', 'drop.bpf.o', ...packet(64));
    expect(resultOf(bytes, 'program').verdict).toBe('invalid');
    expect(bytes.summary.join(' ')).toContain('packet: packet 1 leaves the two as different bytes');
  });

  it('gives a program that changes packets each one anew', () => {
    const document = measured('marks.bpf.o', '--against', 'marks.bpf.o');
    expect(document.notes.join(' ')).toContain('one run a call, since a run changes the packet');
    expect(resultOf(document, 'against').median).toBeGreaterThan(0);
  });

  it('writes reports, which `bench compare` reads: silent on a second run, and finding what was planted', () => {
    for (const [object, report] of [
      ['drop.bpf.o', 'one.json'],
      ['drop.bpf.o', 'two.json'],
      ['slow.bpf.o', 'slow.json'],
    ] as const) {
      const result = run(object, ...short, '--report', report, '--quiet');
      expect(`${result.status} ${result.stderr}`).toBe('0 ');
    }
    const compared = (other: string): CliResult =>
      netkit(['bench', 'compare', 'one.json', other, '--least', '30'], { cwd: folder });
    expect(compared('two.json')).toMatchObject({ status: 0 });
    expect(compared('slow.json')).toMatchObject({
      status: 8,
      stdout: expect.stringMatching(/^slow\/slow .* slower$/m),
    });
  });

  it('refuses what cannot be measured, before anything is made', async () => {
    const before = snapshotKernelState();
    const objects = join(process.cwd(), 'test/fixtures/objects');
    const cases: [string[], number, RegExp][] = [
      [['none.bpf.o'], 3, /none\.bpf\.o/],
      [['drop.bpf.c'], 1, /is C source/],
      [['drop.bpf.o/drob'], 3, /no program 'drob'/],
      [[`${objects}/many.bpf.o`], 2, /programs: which one is meant/],
      [['drop.bpf.o', '--hex', '0203'], 2, /too short/],
      [['drop.bpf.o', '--pcap', 'none.pcap'], 3, /none\.pcap/],
      [['drop.bpf.o', '--against', `${objects}/tc.bpf.o`], 2, /cannot be compared/],
      [['drop.bpf.o', '--report', 'x.doc'], 2, /x\.doc/],
    ];
    for (const [args, status, said] of cases) {
      const result = run(...args, ...short);
      expect(`${args.join(' ')}: ${result.status} ${result.stderr}`).toMatch(said);
      expect([args, result.status]).toEqual([args, status]);
    }
    await expectUnchanged(before);
  });

  it('killed while it measures, leaves nothing; interrupted, it shows what it has', async () => {
    const before = snapshotKernelState();
    const words = ['bench', 'program', 'drop.bpf.o', '--seconds', '30'];
    const moment = () => new Promise((resolve) => setTimeout(resolve, 4000));
    using killed = startNetkit(words, { cwd: folder });
    await moment();
    await expect(killed.stop('SIGKILL')).rejects.toThrow('SIGKILL');
    await expectUnchanged(before);
    using running = startNetkit(words, { cwd: folder });
    await moment();
    const { status, stdout } = await running.stop('SIGINT');
    expect(status).toBe(130);
    expect(stdout).toMatch(/drop\/drop/);
    await expectUnchanged(before);
  });
});
