/** Every section name that libbpf knows: its program is attached, fires, and is silent once it is detached. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { NetkitError } from '../../../src/base/errors.js';
import { atLeast, kernelRelease, kernelVersion } from '../../../src/host/kernel.js';
import { packageRoot } from '../../../src/host/package-root.js';
import { sectionRules } from '../../../src/obj/sections.js';
import {
  expectUnchanged,
  type KernelState,
  leavingNothing,
  snapshotKernelState,
} from '../../support/kernel-state.js';
import { emulated } from '../../support/known-kernels.js';
import { describeAsRoot, ownProcessId } from '../../support/requirements.js';
import { Bench, type HookCase, knownLack } from './attach/bench.js';
import { cgroupCases } from './attach/cgroup-cases.js';
import { packetCases } from './attach/packet-cases.js';
import { socketCases } from './attach/socket-cases.js';
import { tracingCases } from './attach/tracing-cases.js';

/** What became of one hook on this kernel. */
interface HookRow {
  readonly hook: string;
  /** `fired`; `cannot`: this kernel is known to be without, and said so; `failed`. */
  readonly outcome: 'fired' | 'cannot' | 'failed';
  /** Who held the attachment, or why there was none. */
  readonly reason: string;
}

const cases = [...packetCases, ...socketCases, ...cgroupCases, ...tracingCases];
const rows = new Map<string, HookRow>();
/** On the newest kernel, which has everything that a machine without such hardware can have. */
const mostLacks = 8;

describeAsRoot(
  'every kind of attachment',
  () => {
    let bench: Bench | undefined;
    let before: KernelState | undefined;
    beforeAll(() => {
      bench = Bench.make();
      before = snapshotKernelState();
    });
    afterAll(() => {
      bench?.[Symbol.dispose]();
      const folder = process.env.NETKIT_TEST_RESULTS ?? join(packageRoot(), 'test-results');
      mkdirSync(folder, { recursive: true });
      const hooks = sectionRules.flatMap(({ name }) => rows.get(name) ?? []);
      const text = JSON.stringify({ kernel: kernelRelease(), hooks }, null, 2);
      writeFileSync(join(folder, `hooks-${kernelRelease()}.json`), `${text}\n`);
    });

    for (const hookCase of cases) {
      it(`'${hookCase.hook}' fires while it is attached, and not before and after, or says why not`, async () => {
        rows.set(hookCase.hook, { hook: hookCase.hook, outcome: 'failed', reason: '' });
        const tryIt = async () => {
          if (bench === undefined) throw new Error('nothing to stand on');
          rows.set(hookCase.hook, await outcomeOf(hookCase, bench));
        };
        // A look at everything takes longer than most cases, where all is slow: once is enough there.
        await (emulated ? tryIt() : leavingNothing(tryIt));
      });
    }

    it('is tried for every section name, and on the newest kernel few are missing', () => {
      expect(cases.map(({ hook }) => hook).sort()).toEqual(sectionRules.map(({ name }) => name).sort());
      const found = [...rows.values()];
      expect(found.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
      if (!atLeast(7, 0)) return;
      expect(found.filter(({ outcome }) => outcome === 'cannot').length).toBeLessThanOrEqual(mostLacks);
    });

    it('leaves nothing, all in all', async () => {
      if (before === undefined) throw new Error('nothing was made');
      await expectUnchanged(before);
    });

    it('is on docs/hooks-matrix.md as it was just seen', (context) => {
      const page = documented();
      if (page === undefined) context.skip('needs a kernel that the page has a column for');
      const word = ({ outcome, reason }: HookRow) =>
        outcome === 'cannot' ? 'no' : reason === 'none' ? 'run' : reason;
      const seen = [...rows.values()].map((row) => [row.hook, word(row)]).sort();
      expect([...(page ?? [])].map(([hook, cell]) => [hook, cell.replace(/ \(\d+\)$/, '')]).sort()).toEqual(
        seen,
      );
    });
  },
  ownProcessId,
);

/** The page's column for this line of kernels: how each cell begins; undefined without one. */
function documented(): Map<string, string> | undefined {
  const lines = readFileSync(join(packageRoot(), 'docs/hooks-matrix.md'), 'utf8').split('\n');
  const cells = (line: string) => line.split('|').map((cell) => cell.trim());
  const header = cells(lines.find((line) => line.startsWith('| Section |')) ?? '');
  const { major, minor } = kernelVersion();
  const column = header.indexOf(`${major}.${minor}`);
  if (column < 0) return undefined;
  const found = lines.filter((line) => line.startsWith('| `')).map(cells);
  return new Map(found.map((row) => [(row[1] ?? '').replaceAll('`', ''), row[column] ?? '']));
}

/** Where the kernel is known to be without the hook, trying it has to be refused, in words, and without a trace. */
async function outcomeOf(hookCase: HookCase, bench: Bench): Promise<HookRow> {
  const { hook } = hookCase;
  const lack = knownLack(hookCase);
  if (lack === undefined) return { hook, outcome: 'fired', reason: await hookCase.prove(bench) };
  const error = await refusal(hookCase, bench);
  expect(['unsupported', 'not-permitted', 'verifier-refused', 'not-found', 'bad-object']).toContain(
    error.code,
  );
  return { hook, outcome: 'cannot', reason: lack };
}

async function refusal({ prove, tryInVain }: HookCase, bench: Bench): Promise<NetkitError> {
  try {
    await (tryInVain ?? prove)(bench);
  } catch (error) {
    if (error instanceof NetkitError) return error;
    throw error;
  }
  throw new Error('it fired, although the kernel is known to be without it');
}
