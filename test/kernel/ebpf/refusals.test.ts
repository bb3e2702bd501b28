import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { NetkitError } from '../../../src/base/errors.js';
import { load } from '../../../src/ebpf/load.js';
import { atLeast } from '../../../src/host/kernel.js';
import { ObjectSpec } from '../../../src/obj/spec.js';
import { type Expectation, expectations, rules } from '../../refusals/expectations.js';
import { expectUnchanged, type KernelState, snapshotKernelState } from '../../support/kernel-state.js';
import { without } from '../../support/lesser-rights.js';
import { type Compiler, compilers, refusalObjects, refusalSource } from '../../support/refusal-objects.js';
import { describeAsRoot } from '../../support/requirements.js';

/** In a virtual machine, and only where nobody compiled them before. */
const minutesToCompile = 15;

const raw = z.looseObject({ log: z.string() });
const explained = z.looseObject({ rule: z.string(), file: z.string(), line: z.int() });

describe('the programs that the verifier refuses', () => {
  it('are three for each of the twenty rules, each with its lines marked', () => {
    expect(rules).toHaveLength(20);
    expect(expectations).toHaveLength(60);
    for (const { name } of expectations) expect(marked(name), name).not.toEqual([]);
  });
});

for (const compiler of compilers) {
  describeAsRoot(`compiled by ${compiler}`, () => refusedAndExplained(compiler), {
    tools: [compiler],
  });
}

function refusedAndExplained(compiler: Compiler): void {
  let objects: string;
  let before: KernelState;
  const errors = new Map<string, unknown>();

  beforeAll(async () => {
    objects = await refusalObjects(compiler);
    before = snapshotKernelState();
  }, minutesToCompile * 60_000);
  afterAll(() => {
    if (objects.startsWith(join(tmpdir(), 'netkit-refusals-'))) rmSync(objects, { recursive: true });
  });

  /** Loaded once: some of them keep the verifier busy for a while. */
  async function errorOf({ name, allowedBy }: Expectation): Promise<unknown> {
    if (!errors.has(name)) {
      const spec = await ObjectSpec.read(join(objects, `${name}.bpf.o`));
      errors.set(
        name,
        without(allowedBy?.capabilities ?? [], () => thrownBy(spec)),
      );
    }
    return errors.get(name);
  }

  describe.each(expectations)('$name', (expectation) => {
    const { name, rule, says, allowedBy } = expectation;

    it('is refused by the kernel for the reason meant', async () => {
      const error = await errorOf(expectation);
      const fragment = says.findLast(([since]) => atLeast(...since))?.[1];
      expect(endOf(raw.parse(detailsOf(error)).log)).toMatch(fragment ?? 'nothing');
    });

    it(`is explained as ${rule}, at a marked line`, async () => {
      const error = await errorOf(expectation);
      const { rule: found, file, line } = explained.parse(detailsOf(error));
      expect(found).toBe(rule);
      expect(basename(file)).toBe(`${name}.bpf.c`);
      expect(marked(name)).toContain(line);
    });

    if (allowedBy !== undefined) {
      it(`is accepted with CAP_PERFMON: ${allowedBy.why}`, async () => {
        const spec = await ObjectSpec.read(join(objects, `${name}.bpf.o`));
        expect(thrownBy(spec)).toBeUndefined();
      });
    }
  });

  it('left nothing in the kernel', async () => {
    await expectUnchanged(before);
  });
}

function thrownBy(spec: ObjectSpec): unknown {
  try {
    using _object = load(spec);
    return undefined;
  } catch (error) {
    return error;
  }
}

function detailsOf(error: unknown): unknown {
  if (!(error instanceof NetkitError)) throw new Error(`not refused, but: ${String(error)}`);
  return error.details;
}

/** Lines, from 1, that a programmer has to look at. */
function marked(name: string): number[] {
  return refusalSource(name)
    .split('\n')
    .flatMap((line, at) => (line.includes('/* HERE */') ? [at + 1] : []));
}

/** A log may have millions of characters, which nobody wants to see when a test fails. */
function endOf(log: string): string {
  return log.slice(-4000);
}
