import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { attachTypes, helperFunctions, mapTypes, programTypes } from '../../src/base/kernel-words.js';
import { type FeatureDocument, featureDocument } from '../../src/cli/feature-document.js';
import { featureSections } from '../../src/cli/feature-sections.js';
import { atLeast } from '../../src/host/kernel.js';
import { expectUnchanged, snapshotKernelState } from '../support/kernel-state.js';
import { newerTool, newerToolsMissing } from '../support/newer-tools.js';
import { describeAsRoot } from '../support/requirements.js';

/** What `bpftool -j feature probe full` prints, as far as it is compared. */
interface Probed {
  readonly system_config: Readonly<Record<string, string | number | null>>;
  readonly program_types: Readonly<Record<string, boolean>>;
  readonly map_types: Readonly<Record<string, boolean>>;
  readonly helpers: Readonly<Record<string, readonly string[]>>;
  readonly misc: Readonly<Record<string, boolean>>;
}

interface Dated {
  readonly name: string;
  readonly since: string | null;
  readonly available: boolean | null;
}

interface KnownError {
  /** Why bpftool is wrong there. */
  readonly because: string;
  /** All versions of bpftool, those before 7.5, or 7.5 only. */
  readonly in: 'all' | 'older' | 'newer';
  /** `program_type tracing`, `helper kprobe bpf_copy_from_user`. */
  readonly says: (claim: string) => boolean;
}

/** Where netkit and bpftool differ, and bpftool is wrong. */
const knownErrors: readonly KnownError[] = [
  {
    because:
      'it tries fentry alone, which some kernels bar; iterators and BTF tracepoints are of the same type',
    in: 'all',
    says: (claim) => claim === 'program_type tracing',
  },
  {
    because:
      'the verifier refuses a helper that may sleep to programs that may not, in words that bpftool does not know',
    in: 'all',
    says: (claim) => /^helper (?!syscall)\w+ bpf_(copy_from_user|copy_from_user_task)$/.test(claim),
  },
  {
    because:
      'this helper asks for the function that a program is attached to, which these types have none of',
    in: 'all',
    says: (claim) => /^helper \w+ bpf_get_func_ip$/.test(claim),
  },
  {
    because:
      'these helpers depend on what a program is attached to, and one of this type is attached to nothing',
    in: 'all',
    says: (claim) => /^helper syscall bpf_(d_path|sk_storage_(get|delete))$/.test(claim),
  },
  {
    because:
      'since Linux 6.11 the verifier refuses a helper in other words, which bpftool before 7.5 does not know',
    in: 'older',
    says: (claim) => atLeast(6, 11) && claim.startsWith('helper '),
  },
  {
    because:
      'it asks for this map type with a part of the request that came with Linux 6.9, and takes the refusal of that for an answer',
    in: 'newer',
    says: (claim) => !atLeast(6, 9) && claim === 'map_type struct_ops',
  },
];

function compare(
  ours: FeatureDocument,
  theirs: Probed,
  age: 'older' | 'newer',
): { differ: string[]; compared: number } {
  const claims = new Map<string, boolean>();
  for (const { name, available } of ours.programTypes ?? [])
    if (available !== null) claims.set(`program_type ${name}`, available);
  for (const { name, available } of ours.mapTypes ?? [])
    if (available !== null) claims.set(`map_type ${name}`, available);
  for (const { name, programTypes: types } of ours.helpers ?? [])
    for (const { name: type } of ours.programTypes ?? [])
      claims.set(`helper ${type} ${name}`, types.includes(type));
  for (const [name, word] of Object.entries(miscWords)) {
    const found = ours.misc?.find((each) => each.name === word);
    if (typeof found?.available === 'boolean') claims.set(`misc ${name}`, found.available);
  }
  const differ: string[] = [];
  let compared = 0;
  for (const [claim, ourAnswer] of claims) {
    const theirAnswer = answerOf(theirs, claim);
    if (theirAnswer === undefined) continue;
    compared += 1;
    if (ourAnswer === theirAnswer) continue;
    const known = knownErrors.some((each) => (each.in === 'all' || each.in === age) && each.says(claim));
    if (!known) differ.push(`${claim}: netkit ${ourAnswer}, bpftool ${theirAnswer}`);
  }
  return { differ, compared };
}

const miscWords = {
  have_large_insn_limit: 'large-programs',
  have_bounded_loops: 'bounded-loops',
  have_v2_isa_extension: 'cpu-v2',
  have_v3_isa_extension: 'cpu-v3',
  have_v4_isa_extension: 'cpu-v4',
} as const;

/** Undefined where bpftool has no answer. */
function answerOf(theirs: Probed, claim: string): boolean | undefined {
  const [kind, name = '', helper = ''] = claim.split(' ');
  switch (kind) {
    case 'program_type':
      return theirs.program_types[`have_${name}_prog_type`];
    case 'map_type':
      return theirs.map_types[`have_${name}_map_type`];
    case 'misc':
      return theirs.misc[name];
    default: {
      const all = theirs.helpers[`${name}_available_helpers`];
      // It cannot try those of some types, and a list that is empty says so.
      if (all === undefined || all.length === 0) return undefined;
      return all.includes(helper);
    }
  }
}

function differencesOfSetup({ setup, build }: FeatureDocument, { system_config: theirs }: Probed): string[] {
  const ours: Record<string, unknown> = {
    unprivileged_bpf_disabled: { allowed: 0, 'disabled-for-good': 1, disabled: 2 }[
      setup?.unprivileged ?? 'allowed'
    ],
    bpf_jit_enable: { off: 0, on: 1, debug: 2 }[setup?.jit ?? 'off'],
    bpf_jit_harden: { off: 0, unprivileged: 1, all: 2 }[setup?.jitHardening ?? 'off'],
    bpf_jit_kallsyms: setup?.jitSymbols === true ? 1 : 0,
    bpf_jit_limit: Number(setup?.jitLimit ?? -1),
    ...Object.fromEntries((build ?? []).map(({ name, value }) => [name, value])),
  };
  return Object.keys(theirs)
    .filter((name) => name in ours && String(ours[name]) !== String(theirs[name]))
    .map((name) => `${name}: netkit ${String(ours[name])}, bpftool ${String(theirs[name])}`);
}

const everything = (): FeatureDocument => featureDocument({ sections: new Set(featureSections), full: true });

function check(theirs: Probed, age: 'older' | 'newer', atLeastCompared: number): void {
  const ours = everything();
  const { differ, compared } = compare(ours, theirs, age);
  expect(differ.join('\n')).toBe('');
  expect(compared).toBeGreaterThan(atLeastCompared);
  expect(differencesOfSetup(ours, theirs).join('\n')).toBe('');
}

describeAsRoot('netkit feature and bpftool feature probe', () => {
  it('agree wherever both speak, the known errors of bpftool aside', () => {
    const { stdout } = spawnSync('bpftool', ['-j', 'feature', 'probe', 'full'], { encoding: 'utf8' });
    check(JSON.parse(stdout), 'older', 4000);
  });

  it('finds nothing before the version that is said to have brought it', () => {
    const { programTypes, mapTypes, hooks, helpers, kfuncs, misc } = everything();
    const all = [programTypes, mapTypes, hooks, helpers, kfuncs, misc].flatMap<Dated>((list) => list ?? []);
    const early = all.filter(({ since, available }) => {
      const [major = 0, minor = 0] = (since ?? '0.0').split('.').map(Number);
      return available === true && !atLeast(major, minor);
    });
    expect(early.map(({ name, since }) => `${name} ${since}`)).toEqual([]);
    const known = all.filter(({ since, available }) => since !== null && available === true);
    expect(known.length).toBeGreaterThan(200);
  });

  it('leaves nothing behind', async () => {
    const before = snapshotKernelState();
    everything();
    await expectUnchanged(before);
  });
});

describeAsRoot(
  'netkit feature and a newer bpftool feature probe',
  () => {
    it('agree wherever both speak, its known errors aside', () => {
      check(JSON.parse(newerTool('bpftool', ['-j', 'feature', 'probe', 'full'])), 'newer', 4000);
    });
  },
  { check: newerToolsMissing },
);

describe('the words of bpftool', () => {
  it.each([
    ['prog_types', programTypes],
    ['map_types', mapTypes],
    ['attach_types', attachTypes],
    ['helpers', helperFunctions.map((name) => `bpf_${name}`)],
  ] as const)('for its %s are all known', (group, words) => {
    const { stdout } = spawnSync('bpftool', ['-j', 'feature', 'list_builtins', group], { encoding: 'utf8' });
    const theirs: string[] = JSON.parse(stdout);
    expect(theirs.length).toBeGreaterThan(20);
    const known: readonly string[] = words;
    expect(theirs.filter((word) => !known.includes(word) && word !== 'unspec')).toEqual([]);
  });
});
