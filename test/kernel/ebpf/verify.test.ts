import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { compile } from '../../../src/build/clang.js';
import { verify } from '../../../src/ebpf/verify.js';
import { atLeast } from '../../../src/host/kernel.js';
import { ObjectSpec } from '../../../src/obj/spec.js';
import { refusalRules } from '../../../src/obj/verifier/explanation.js';
import { leavingNothing } from '../../support/kernel-state.js';
import { compilers, expectations, refusedObject, refusedSources } from '../../support/refused.js';
import { describeAsRoot, itWith } from '../../support/requirements.js';

const fixture = (name: string): ObjectSpec => ObjectSpec.readSync(`test/fixtures/objects/${name}.bpf.o`);

/** Those of `complex` take a million instructions each, twice over. */
const sources = refusedSources().filter((name) => name !== 'complex');

describeAsRoot(
  'the verifier',
  () => {
    it.each(compilers)(
      'explains each refusal of what %s made, by rule and line, and keeps nothing',
      async (compiler) => {
        const wrong: string[] = [];
        let refused = 0;
        await leavingNothing(() => {
          for (const source of sources) {
            const spec = refusedObject(compiler, source);
            const wanted = expectations(source);
            expect([...wanted.keys()].sort(), source).toEqual(spec.programs.map(({ name }) => name).sort());
            for (const [program, { rule, line }] of wanted) {
              const verification = verify(spec, program);
              // Those who have CAP_PERFMON may read stack that they have not written, from 6.3 on and in later releases of 5.10.
              if (verification.outcome === 'accepted' && rule === 'stack-uninitialised') continue;
              // Probes may write registers in newer kernels.
              if (verification.outcome === 'accepted' && program === 'changes_registers' && atLeast(7, 0))
                continue;
              if (verification.outcome !== 'refused') {
                wrong.push(`${source} ${program}: ${verification.outcome}`);
                continue;
              }
              refused++;
              const { explanation, place, reason } = verification.error;
              if (explanation?.rule !== rule || place?.line !== line || place.file !== `${source}.bpf.c`)
                wrong.push(
                  `${source} ${program}: ${explanation?.rule} at ${place?.file}:${place?.line}: ${reason}`,
                );
            }
          }
        });
        expect(wrong).toEqual([]);
        expect(refused).toBeGreaterThan(110);
      },
    );

    it('accepts the programs that docs/verify.md shows, once they are mended as it says', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'netkit-test-'));
      try {
        const output = join(folder, 'mended.bpf.o');
        await compile({ sources: ['test/fixtures/mended.bpf.c'], output });
        await leavingNothing(() => {
          const spec = ObjectSpec.readSync(output);
          const rules = spec.programs.map(({ name }) => name.replaceAll('_', '-'));
          expect(rules.sort()).toEqual([...refusalRules].sort());
          for (const { name } of spec.programs) {
            const verification = verify(spec, name);
            const why = verification.outcome === 'accepted' ? '' : verification.error.message;
            expect(`${name} ${verification.outcome}${why}`).toBe(`${name} accepted`);
          }
        });
      } finally {
        await rm(folder, { recursive: true });
      }
    });

    it('accepts what is right, and tells what that took', async () => {
      await leavingNothing(() => {
        const verification = verify(fixture('subprograms'), 'calls');
        expect(verification).toMatchObject({ outcome: 'accepted', statistics: { limit: 1_000_000 } });
        if (verification.outcome !== 'accepted') return;
        const { processed, stackDepths, totalStates, peakStates, microseconds } = verification.statistics;
        expect(processed).toBeGreaterThan(2);
        expect(stackDepths.length).toBeGreaterThan(1);
        for (const figure of [totalStates, peakStates, microseconds])
          expect(figure).toBeGreaterThanOrEqual(0);
        expect(verification.log).toMatch(/^processed \d+ insns/m);
      });
    });

    it('looks at the registers of a refused program on every kernel', async () => {
      await leavingNothing(() => {
        const verification = verify(fixture('oob'), 'oob');
        if (verification.outcome !== 'refused') throw new Error(verification.outcome);
        expect(verification.error.explanation?.registers).toMatchObject([
          { name: 'R1', words: 'R1 is a packet pointer with 0 bytes checked' },
        ]);
        expect(verification.statistics.processed).toBeGreaterThan(0);
      });
    });

    it('gets the end of a log that is longer than its buffer, whichever end the kernel keeps', async () => {
      await leavingNothing(() => {
        const verification = verify(refusedObject('clang14', 'complex'), 'unbounded');
        if (verification.outcome !== 'refused') throw new Error(verification.outcome);
        expect(verification.error.reason).toMatch(/^BPF program is too large/);
        expect(verification.error.explanation?.rule).toBe('too-complex');
        expect(verification.error.place?.line).toBe(expectations('complex').get('unbounded')?.line);
        expect(verification.log.length).toBeGreaterThan(100_000);
        expect(verification.log.length).toBeLessThan(2_000_000);
        expect(verification.statistics.processed).toBe(1_000_001);
      });
    });

    itWith(
      { kernelHas: ['bpf-loop'] },
      'takes programs that are off by default, and throws for one that is not there',
      async () => {
        const folder = await mkdtemp(join(tmpdir(), 'netkit-test-'));
        try {
          const output = join(folder, 'events.bpf.o');
          await compile({ sources: ['test/fixtures/events.bpf.c'], output });
          await leavingNothing(() => {
            const spec = ObjectSpec.readSync(output);
            expect(spec.chosen).not.toContain('slow');
            expect(verify(spec, 'slow').outcome).toBe('accepted');
            expect(() => verify(spec, 'none')).toThrow(/no program 'none'/);
          });
        } finally {
          await rm(folder, { recursive: true });
        }
      },
    );

    it('is not asked about an object that libbpf does not open, and says why', async () => {
      await leavingNothing(() => {
        for (const name of ['legacy', 'ulong']) {
          const spec = fixture(name);
          const [program] = spec.programs;
          const verification = verify(spec, program?.name ?? '');
          expect(verification).toMatchObject({ outcome: 'not-verified', error: { code: 'bad-object' } });
        }
      });
    });
  },
  { tools: ['clang'] },
);
