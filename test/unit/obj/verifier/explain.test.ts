import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../../../src/host/package-root.js';
import type { ObjectSpec } from '../../../../src/obj/spec.js';
import { explain } from '../../../../src/obj/verifier/explain.js';
import { type Explanation, refusalRules } from '../../../../src/obj/verifier/explanation.js';
import {
  expectations,
  type RecordedLog,
  recordedLogs,
  refusedContext,
  refusedObject,
} from '../../../support/refused.js';

const logs = recordedLogs();
const specs = new Map<string, ObjectSpec>();

function specOf({ compiler, source }: RecordedLog): ObjectSpec {
  const key = `${compiler}/${source}`;
  const spec = specs.get(key) ?? refusedObject(compiler, source);
  specs.set(key, spec);
  return spec;
}

function explained(recorded: RecordedLog, log = recorded.log): Explanation | undefined {
  return explain(log, refusedContext(specOf(recorded), recorded.program));
}

function found(kernel: string, source: string, program: string): Explanation {
  const recorded = logs.find(
    (each) => each.kernel === kernel && each.source === source && each.program === program,
  );
  const explanation = recorded === undefined ? undefined : explained(recorded);
  if (explanation === undefined) throw new Error(`no explanation of ${program} on ${kernel}`);
  return explanation;
}

const byKernel = groups();

function groups(): Map<string, RecordedLog[]> {
  const all = new Map<string, RecordedLog[]>();
  for (const log of logs) all.set(log.kernel, [...(all.get(log.kernel) ?? []), log]);
  return all;
}

describe('the explanation of a refusal', () => {
  it.each([...byKernel])('names rule and line of every recorded log of Linux %s', (_kernel, recorded) => {
    const wrong: string[] = [];
    for (const each of recorded) {
      const wanted = expectations(each.source).get(each.program);
      const got = explained(each);
      const right = got?.rule === wanted?.rule && got?.place?.line === wanted?.line;
      const file = got?.place?.file === `${each.source}.bpf.c`;
      if (!right || !file || wanted === undefined)
        wrong.push(
          `${each.compiler} ${each.source} ${each.program}: ${got?.rule} at ${got?.place?.file}:${got?.place?.line}, not ${wanted?.rule} at ${wanted?.line}`,
        );
    }
    expect(wrong).toEqual([]);
  });

  it('is there for each of the twenty rules on each kernel, where privileges do not lift them', () => {
    for (const [kernel, recorded] of byKernel) {
      if (kernel.includes('without')) continue;
      const rules = new Set(recorded.map((each) => explained(each)?.rule));
      const missing = refusalRules.filter((rule) => !rules.has(rule));
      // From 6.3 on those who have CAP_PERFMON may read what they have not written.
      const lifted = ['5.10', '6.1'].includes(kernel) ? [] : ['stack-uninitialised'];
      expect(
        missing.filter((rule) => !lifted.includes(rule)),
        kernel,
      ).toEqual([]);
    }
  });

  it('consists of whole sentences: nothing undefined, no number that is none, one line each', () => {
    for (const each of logs) {
      const got = explained(each);
      const texts = [got?.message, got?.mend, ...(got?.registers ?? []).map(({ words }) => words)];
      for (const text of texts) {
        expect(text, `${each.kernel} ${each.source} ${each.program}`).toMatch(/^\S.{8,}[^.\s]$/);
        expect(text).not.toMatch(/undefined|NaN|null,|\n|Infinity|\[object/);
      }
    }
  });

  it('puts the registers that matter into words, alike on old and new kernels', () => {
    for (const kernel of byKernel.keys()) {
      if (kernel.includes('without')) continue;
      expect(found(kernel, 'packet-bounds', 'half_checked')).toMatchObject({
        message: 'reads 1 byte of the packet at offset 23, where 14 bytes are known to be there',
        registers: [{ name: 'R1', words: 'R1 is a packet pointer with 14 bytes checked' }],
      });
      expect(found(kernel, 'pointers', 'unbounded_offset').registers).toMatchObject([
        { words: 'R1 is a packet pointer with 0 bytes checked' },
        { words: 'R2 is a number of which nothing is known' },
      ]);
      expect(found(kernel, 'helpers', 'zero_length').registers).toMatchObject([
        { words: 'R4 is a number from 0 to 64' },
      ]);
      expect(found(kernel, 'returns', 'too_large').registers).toMatchObject([
        { words: 'R0 is the number 2' },
      ]);
      expect(found(kernel, 'registers', 'after_adjust').registers).toMatchObject([
        { words: 'R6 is a number of which nothing is known' },
      ]);
    }
  });

  it('names the line in the own file and the one in the header when they differ', () => {
    expect(found('6.18', 'inlined', 'counts')).toMatchObject({
      place: { file: 'inlined.bpf.c', source: expect.stringContaining('count(key);') },
      related: [{ place: { file: 'inlined.h', line: 10, source: 'value->count++;' } }],
    });
  });

  it('takes the nearest line of the own file on the way when the sources cannot be read', () => {
    const recorded = logs.find((each) => each.kernel === '6.18' && each.program === 'reads_header');
    if (recorded === undefined) throw new Error('no such log');
    const { source: _, ...blind } = refusedContext(specOf(recorded), 'reads_header');
    expect(explain(recorded.log, blind)?.place).toMatchObject({
      file: 'inlined.bpf.c',
      source: 'if (data + 14 > end)',
    });
  });

  it('names where a reference was taken, and where a way ends without giving it back', () => {
    expect(found('5.10', 'references', 'one_way')).toMatchObject({
      rule: 'reference-leak',
      place: { source: expect.stringContaining('bpf_sk_lookup_udp') },
      related: [{ place: { source: '}' } }],
    });
  });

  it('names the call with which the stack becomes too large', () => {
    expect(found('6.18', 'stack', 'two_calls').message).toBe(
      'with the call of deepest() the functions of a way need 688 bytes of stack together, and there are 512',
    );
  });

  it('is missing for a refusal that is none of the rules', () => {
    const [recorded] = logs;
    if (recorded === undefined) throw new Error('no log');
    for (const verdict of ['unreachable insn 7', 'misaligned stack access off (0x0; 0x0)+0+-4 size 8', ''])
      expect(explained(recorded, `0: (b7) r0 = 0\n${verdict}\nprocessed 1 insns`)).toBeUndefined();
  });

  it('is what docs/verify.md shows for each rule, with an example', () => {
    const page = readFileSync(join(packageRoot(), 'docs/verify.md'), 'utf8');
    const chapters = new Map(
      page.split(/^### /m).map((text) => [text.slice(0, text.indexOf('\n')), text] as const),
    );
    for (const rule of refusalRules) {
      const chapter = chapters.get(rule) ?? '';
      const [, source = '', program = ''] =
        /^\$ netkit verify (\S+)\.bpf\.o --only (\w+)$/m.exec(chapter) ?? [];
      const kernel = rule === 'stack-uninitialised' ? '6.18-without-perfmon' : '6.18';
      const explanation = found(kernel, source, program);
      expect(explanation.rule).toBe(rule);
      const { place, message, mend, reason, registers } = explanation;
      expect(chapter).toContain(`${program} at ${place?.file}:${place?.line}: ${rule}\n  ${message}\n`);
      expect(chapter).toContain(`  to mend it: ${mend}\n`);
      expect(chapter).toContain(`  the verifier said: ${reason}\n`);
      for (const { words, state } of registers) expect(chapter).toContain(`  ${words}   ${state}\n`);
      expect(chapter).toMatch(/^Mended:\n\n```c\n/m);
    }
  });

  it('never throws, whatever became of a log', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...logs),
        fc.array(fc.nat()),
        fc.array(fc.tuple(fc.nat(), fc.string())),
        (recorded, gone, changed) => {
          const lines = recorded.log.split('\n');
          for (const at of gone) lines.splice(at % lines.length, 1, '');
          for (const [at, text] of changed) lines[at % lines.length] += text;
          explained(recorded, lines.join('\n'));
        },
      ),
    );
  });
});
