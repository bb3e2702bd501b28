import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { NetkitError } from '../../../src/base/errors.js';
import { load } from '../../../src/ebpf/load.js';
import type { LoadedObject } from '../../../src/ebpf/loaded-object.js';
import { BpfMap } from '../../../src/ebpf/map.js';
import { Program } from '../../../src/ebpf/program.js';
import { readNativeCode, readProgramCode } from '../../../src/ebpf/program-code.js';
import { programListing } from '../../../src/ebpf/program-listing.js';
import { verify } from '../../../src/ebpf/verify.js';
import { atLeast } from '../../../src/host/kernel.js';
import { packageRoot } from '../../../src/host/package-root.js';
import type { ListedInstruction } from '../../../src/obj/instructions/listing.js';
import { ObjectSpec } from '../../../src/obj/spec.js';
import { returning } from '../../support/instructions.js';
import {
  expectUnchanged,
  type KernelState,
  leavingNothing,
  snapshotKernelState,
} from '../../support/kernel-state.js';
import { type KernelCapabilityName, kernelLacks } from '../../support/known-kernels.js';
import { loadSource } from '../../support/load-source.js';
import { run } from '../../support/netns.js';
import { describeAsRoot, itWith } from '../../support/requirements.js';

const dumped = z.array(
  z.looseObject({
    disasm: z.optional(z.string()),
    src: z.optional(z.string()),
    proto: z.optional(z.string()),
  }),
);

/** What bpftool prints, without what it says in another way: numbers behind names, addresses. */
function bpftoolTexts(program: Program): { texts: string[]; sources: string[]; functions: string[] } {
  const { id } = program.info();
  const lines = dumped.parse(JSON.parse(run('bpftool', ['-j', 'prog', 'dump', 'xlated', 'id', String(id)])));
  return {
    texts: lines.flatMap(({ disasm }) => (disasm === undefined ? [] : [plainBpftool(disasm)])),
    sources: lines.flatMap(({ src }) => (src === undefined || src === '' ? [] : [src.trim()])),
    functions: lines.flatMap(({ proto }) =>
      proto === undefined ? [] : [proto.replace(/^.*[ *](\w+)\(.*$/, '$1')],
    ),
  };
}

function plainBpftool(text: string): string {
  return text
    .replace(/^\(..\) /, '')
    .replace(/^(call (?:pc[+-]\d+|\w+))#.*$/, '$1')
    .replace(/map\[id:(\d+)\]/, (_, id: string) => {
      using map = BpfMap.fromId(Number(id));
      return `map[${map.info.name}]`;
    });
}

/** Our text in the same words. */
function plainOwn({ index, text }: ListedInstruction): string {
  const distance = (to: string) => {
    const steps = Number(to) - index - 1;
    return `${steps < 0 ? '' : '+'}${steps}`;
  };
  return (
    text
      .replace(/^call \S+ <(\d+)>$/, (_, to: string) => `call pc${distance(to)}`)
      .replace(/= function (?:\S+ )?<(\d+)>$/, (_, to: string) => `= subprog[${distance(to)}]`)
      .replace(/ <[^<>]+>$/, '')
      // Debian's bpftool is older than this one.
      .replace(/= &\(void __percpu \*\)\((r\d)\)$/, '= $1')
  );
}

function comparePrograms(object: LoadedObject): number {
  for (const program of object.programs.values()) {
    const theirs = bpftoolTexts(program);
    const { functions, notes } = programListing(program);
    expect(notes).toEqual([]);
    expect(functions.flatMap(({ instructions }) => instructions.map(plainOwn))).toEqual(theirs.texts);
    const own = functions.flatMap(({ instructions }) =>
      instructions.flatMap(({ line }) => line?.source ?? []),
    );
    expect(new Set(own)).toEqual(new Set(theirs.sources));
    if (theirs.functions.length > 0) expect(functions.map(({ name }) => name)).toEqual(theirs.functions);
  }
  return object.programs.size;
}

/** Those that can be loaded: some are there to be refused. */
const objects = ['globals', 'maps', 'pass', 'pinned', 'subprograms', 'tc', 'tcx'];
/** What the objects need of a kernel. */
const needs: Readonly<Record<string, KernelCapabilityName>> = {
  tcx: 'tcx',
  maps: 'bloom-filter',
  'test/fixtures/services.bpf.c': 'bloom-filter',
};
const isKnownHere = (name: string) => needs[name] === undefined || kernelLacks(needs[name]) === undefined;
const loadable = objects.filter(isKnownHere);
const sources = [
  'bpf/firewall.bpf.c',
  'test/fixtures/events.bpf.c',
  'test/fixtures/services.bpf.c',
  'test/fixtures/slow.bpf.c',
  'test/fixtures/streams.bpf.c',
];

describeAsRoot(
  'the instructions of a loaded program',
  () => {
    let before: KernelState;
    beforeAll(() => {
      before = snapshotKernelState();
    });
    afterAll(() => expectUnchanged(before));

    it.each(loadable)('of %s.bpf.o are those that bpftool shows, one by one', async (name) => {
      await leavingNothing(() => {
        const spec = ObjectSpec.readSync(join(packageRoot(), `test/fixtures/objects/${name}.bpf.o`));
        const programs = spec.programs.filter(
          ({ name: program, type }) =>
            spec.chosen.has(program) &&
            type !== 'tracing' &&
            !(name === 'subprograms' && program === 'calls_back' && kernelLacks('bpf-loop') !== undefined),
        );
        spec.only(programs.map((program) => program.name));
        using object = load(spec);
        expect(comparePrograms(object)).toBeGreaterThan(0);
      });
    });

    it.each(sources.filter(isKnownHere))('of %s too', async (source) => {
      await leavingNothing(async () => {
        using object = await loadSource(source, {}, atLeast(7, 0) ? ['IMPLICIT_ARGUMENT'] : []);
        expect(comparePrograms(object)).toBeGreaterThan(0);
      });
    });

    itWith(
      { kernelHas: ['cpu-v4'], tools: ['clang-19'] },
      'of the newest kinds are called what the verifier of this kernel calls them',
      async () => {
        await leavingNothing(() => {
          const folder = mkdtempSync(join(tmpdir(), 'netkit-v4-'));
          try {
            const object = join(folder, 'fourth.bpf.o');
            const include = `-I/usr/include/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`;
            const source = join(packageRoot(), 'test/fixtures/cpu-v4.bpf.c');
            run('clang-19', ['-target', 'bpf', '-mcpu=v4', '-g', '-O2', include, '-c', source, '-o', object]);
            const spec = ObjectSpec.readSync(object);
            const own = new Map(
              spec
                .listing('fourth')
                .flatMap(({ instructions }) => instructions.map((each) => [each.index, plainOwn(each)])),
            );
            const result = verify(spec, 'fourth');
            if (result.outcome !== 'refused') throw new Error(`${result.outcome}`);
            const said = [...result.log.matchAll(/^(\d+): \([0-9a-f]{2}\) (.*?)\s*(?:;.*)?$/gm)];
            expect(said.length).toBeGreaterThan(38);
            for (const [, index, text] of said) expect(own.get(Number(index))).toBe(text);
          } finally {
            rmSync(folder, { recursive: true });
          }
        });
      },
    );

    it('have all the same where functions begin without BTF', async () => {
      await leavingNothing(() => {
        using program = new Program(returning(0));
        const [main, ...more] = programListing(program).functions;
        expect(more).toEqual([]);
        expect(main).toMatchObject({ name: program.info().name, declaration: undefined, start: 0 });
        expect(main?.instructions.map(({ text }) => text)).toEqual(['r0 = 0', 'exit']);
      });
    });

    it('come with their native code, a piece for each function, and the place of each line', async () => {
      await leavingNothing(() => {
        const spec = ObjectSpec.readSync(join(packageRoot(), 'test/fixtures/objects/subprograms.bpf.o'));
        spec.only(['calls']);
        using object = load(spec);
        const program = object.program('calls');
        const code = readProgramCode(program);
        const native = nativeOf(program);
        if (native === undefined) return;
        expect(native.functions).toHaveLength(code.functions.length);
        expect(native.functions.map(({ address }) => address)).toEqual(code.addresses);
        expect(native.functions.reduce((sum, each) => sum + each.code.length, 0)).toBe(
          program.info().jitedBytes,
        );
        expect(native.lineAddresses).toHaveLength(code.lines.length);
        for (const address of native.lineAddresses) {
          const inside = native.functions.some(
            (each) => address >= each.address && address < each.address + BigInt(each.code.length),
          );
          expect(inside).toBe(true);
        }
      });
    });
  },
  { tools: ['clang'] },
);

/** Undefined where the kernel interprets, which then must be what it says. */
function nativeOf(program: Program): ReturnType<typeof readNativeCode> | undefined {
  try {
    return readNativeCode(program);
  } catch (error) {
    if (!(error instanceof NetkitError) || program.info().jitedBytes > 0) throw error;
    expect(error).toMatchObject({ code: 'unsupported', message: expect.stringMatching(/interprets/) });
    return undefined;
  }
}
