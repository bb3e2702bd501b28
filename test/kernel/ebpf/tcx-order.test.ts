import { expect, it } from 'vitest';
import { NetkitError } from '../../../src/base/errors.js';
import { Scope } from '../../../src/base/scope.js';
import type { Link } from '../../../src/ebpf/link.js';
import { type Position, queryOrder } from '../../../src/ebpf/order.js';
import type { Program } from '../../../src/ebpf/program.js';
import { leavingNothing } from '../../support/kernel-state.js';
import { emulated, kernelLacks } from '../../support/known-kernels.js';
import { newerToolsMissing } from '../../support/newer-tools.js';
import { MarkedPrograms } from '../../support/order-marks.js';
import { cgroupHook, netkitDeviceHook, type TestHook, tcxHook } from '../../support/ordered-hooks.js';
import { randomFrom, seedOfRun, seeds, shuffled } from '../../support/random.js';
import { describeAsRoot, type Requirements } from '../../support/requirements.js';

interface Hook {
  readonly name: string;
  readonly needs: Requirements;
  make(): TestHook;
}

const hooks: readonly Hook[] = [
  { name: 'tcx', needs: { kernelHas: ['tcx'], check: newerToolsMissing }, make: tcxHook },
  { name: 'netkit-dev', needs: { kernelHas: ['netkit-device'] }, make: netkitDeviceHook },
  { name: 'cgroups', needs: { kernelHas: ['cgroup-anchors'] }, make: cgroupHook },
];

/** One program on the hook, as the model has it. */
interface Placed {
  readonly mark: number;
  readonly program: Program;
  /** Undefined for a foreign one. */
  readonly link: Link | undefined;
}

/** Where a program ends among `present`: all that the model knows of order. */
function indexIn(present: readonly Placed[], position: Position | undefined): number {
  if (position === 'first') return 0;
  if (position === 'last' || position === undefined) return present.length;
  const anchor = 'before' in position ? position.before : position.after;
  const at = present.findIndex(({ link, program }) => link === anchor || program === anchor);
  if (at < 0) throw new Error('the model lost an anchor');
  return 'before' in position ? at : at + 1;
}

function anyPosition(present: readonly Placed[], random: (below: number) => number): Position | undefined {
  const one = present[random(present.length)];
  const kind = random(8);
  if (kind === 0) return undefined;
  if (kind === 1) return 'last';
  if (kind === 2 || one === undefined) return 'first';
  const anchor = one.link === undefined || random(2) === 0 ? one.program : one.link;
  return random(2) === 0 ? { before: anchor } : { after: anchor };
}

/** Next to a program that was attached without a link, where the neighbour has none either: cgroups know no such place. */
function isBetweenForeign(present: readonly Placed[], position: Position | undefined): boolean {
  if (typeof position !== 'object') return false;
  const at = indexIn(present, position);
  const [left, right] = [present[at - 1], present[at]];
  return left !== undefined && right !== undefined && left.link === undefined && right.link === undefined;
}

const tried = emulated ? [seedOfRun] : seeds;

for (const { name, needs, make } of hooks) {
  describeAsRoot(
    `order on ${name}`,
    () => {
      it('of 60 programs put there in random order with random anchors, beside three foreign ones, is what a model predicts', async () => {
        for (const seed of tried) {
          process.stderr.write(`order on ${name}: seed ${seed}\n`);
          await leavingNothing(() => attachesAsPredicted(make, seed));
        }
      });

      it('ends with words where it cannot be', async () => {
        await leavingNothing(() => refusesInWords(make));
      });

      it('is looked at again when somebody else changes it meanwhile, and not for ever', async () => {
        await leavingNothing(() => looksAgain(make));
      });
    },
    needs,
  );
}

async function attachesAsPredicted(make: () => TestHook, seed: number): Promise<void> {
  const random = randomFrom(seed);
  using hook = make();
  using programs = await MarkedPrograms.compile(hook.programName);
  using scope = new Scope();
  const foreign = new Set([1, 2, 3]);
  const present: Placed[] = [];
  for (const mark of shuffled(
    Array.from({ length: 63 }, (_, at) => at + 1),
    random,
  )) {
    const program = programs.make(mark);
    if (foreign.has(mark)) {
      hook.attachForeign(program);
      present.push({ mark, program, link: undefined });
      continue;
    }
    let position = anyPosition(present, random);
    if (hook.place.hook === 'cgroup' && isBetweenForeign(present, position)) {
      expect(refusal(() => hook.attach(program, position))).toMatchObject({ code: 'unsupported' });
      position = 'last';
    }
    const link = scope.use(hook.attach(program, position));
    present.splice(indexIn(present, position), 0, { mark, program, link });
  }
  const about = `seed ${seed}`;
  const { entries, revision } = queryOrder(hook.place);
  expect(
    entries.map(({ programId }) => programId),
    about,
  ).toEqual(present.map(({ program }) => program.info().id));
  if (hook.place.hook !== 'cgroup') {
    expect(
      entries.map(({ linkId }) => linkId),
      about,
    ).toEqual(present.map(({ link }) => link?.info().id));
  }
  expect(revision).toBeGreaterThanOrEqual(63n);
  const theirs = hook.bpftoolOrder();
  if (theirs !== undefined) expect(theirs, about).toEqual(entries.map(({ programId }) => programId));
  programs.taken();
  hook.sendOne();
  expect(programs.taken(), `${about}: what the packet met`).toEqual(present.map(({ mark }) => mark));
  for (let mark = 64; mark <= hook.most; mark++) scope.use(hook.attach(programs.make(mark), 'first'));
  const full = refusal(() => hook.attach(programs.make(100), 'first'));
  expect(full).toMatchObject({ code: 'conflict' });
  expect(full.message).toContain(`is full: the kernel takes ${hook.most} programs`);
}

async function refusesInWords(make: () => TestHook): Promise<void> {
  using hook = make();
  using elsewhere = make();
  using programs = await MarkedPrograms.compile(hook.programName);
  using scope = new Scope();
  const [one, two, other] = [programs.make(1), programs.make(2), programs.make(3)];
  const link = scope.use(hook.attach(one));
  const there = scope.use(elsewhere.attach(other));
  for (const anchor of [other, there]) {
    for (const position of [{ before: anchor }, { after: anchor }]) {
      const error = refusal(() => hook.attach(two, position));
      expect(error.code).toBe('not-found');
      expect(error.message).toMatch(
        /^(link \d+|program 'on_\w+' \(id \d+\)) is not on .+: nothing can go next to it there$/,
      );
    }
  }
  const both = { before: one, after: one };
  expect(refusal(() => hook.attach(two, both))).toMatchObject({ code: 'usage' });
  link.detach();
  expect(refusal(() => hook.attach(two, { before: link }))).toMatchObject({ code: 'not-found' });
  expect(queryOrder(hook.place).entries).toEqual([]);
}

async function looksAgain(make: () => TestHook): Promise<void> {
  using hook = make();
  using programs = await MarkedPrograms.compile(hook.programName);
  using scope = new Scope();
  const [first, second, third, fourth] = [1, 2, 3, 4].map((mark) => programs.make(mark));
  if (first === undefined || second === undefined || third === undefined || fourth === undefined) return;
  const anchor = scope.use(hook.attach(first));
  let looks = 0;
  scope.use(
    hook.attach(second, ({ entries }) => {
      looks++;
      expect(entries.length).toBe(looks);
      if (looks === 1) scope.use(hook.attach(third, 'first'));
      return { before: anchor };
    }),
  );
  expect(looks).toBe(2);
  programs.taken();
  hook.sendOne();
  expect(programs.taken()).toEqual([3, 2, 1]);
  const restless = refusal(() =>
    hook.attach(fourth, () => {
      using _link = hook.attach(fourth);
      return 'first';
    }),
  );
  expect(restless.code).toBe('conflict');
  expect(restless.message).toMatch(/^others keep changing the order of programs on /);
  hook.sendOne();
  expect(programs.taken()).toEqual([3, 2, 1]);
}

/** Kernels without order on cgroups are known: what they say is tested there. */
if (kernelLacks('cgroup-anchors') !== undefined) {
  describeAsRoot('order on cgroups of a kernel without it', () => {
    it('cannot be asked for, and programs go behind those that are there', async () => {
      await leavingNothing(async () => {
        using hook = cgroupHook();
        using programs = await MarkedPrograms.compile(hook.programName);
        using _first = hook.attach(programs.make(1));
        using _second = hook.attach(programs.make(2), () => undefined);
        for (const position of ['first', 'last'] as const) {
          const error = refusal(() => hook.attach(programs.make(3), position));
          expect(error.code).toBe('unsupported');
          expect(error.hint).toContain('6.17');
        }
        hook.sendOne();
        expect(programs.taken()).toEqual([1, 2]);
      });
    });
  });
}

function refusal(work: () => unknown): NetkitError {
  try {
    work();
  } catch (error) {
    if (error instanceof NetkitError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
