/**
 * Objects with two ways in to one function of the kernel: a program of `fentry/FUNCTION` and one of `kprobe/FUNCTION`, or of
 * `fexit` and `kretprobe`. The first that this kernel takes is loaded, and the other is not.
 */
import { NetkitError } from '../base/errors.js';
import { hookAvailable } from '../ebpf/feature.js';
import { runningBtf } from '../ebpf/kernel-btf.js';
import { sectionMeaning } from '../obj/sections.js';
import type { ObjectSpec } from '../obj/spec.js';
import type { Choices } from './load-function.js';

type Fast = 'fentry' | 'fexit';

const slower = { fentry: 'kprobe', fexit: 'kretprobe' } as const;

interface TwoWays {
  readonly place: string;
  readonly hook: Fast;
  /** Names of programs. */
  readonly fast: string;
  readonly slow: string;
}

/**
 * Leaves one program of each such pair among those that are loaded. Whoever names programs, by `only`, or a target of theirs,
 * has chosen already. Functions for which there is more than one program of a kind have no pair.
 * @throws NetkitError `unsupported` when neither is possible
 */
export function chooseWays(
  spec: ObjectSpec,
  { only, targets = {} }: Choices,
  note: (text: string) => void,
): void {
  if (only !== null) return;
  const left = new Set<string>();
  for (const pair of pairsOf(spec)) {
    if (targets[pair.fast] !== undefined || targets[pair.slow] !== undefined) continue;
    left.add(takesFast(pair, note) ? pair.slow : pair.fast);
  }
  if (left.size > 0) spec.only([...spec.chosen].filter((name) => !left.has(name)));
}

function pairsOf(spec: ObjectSpec): TwoWays[] {
  const programs = new Map<string, string[]>();
  for (const { name, section } of spec.programs) {
    if (!spec.chosen.has(name)) continue;
    const { rule, target } = sectionMeaning(section) ?? {};
    if (rule === undefined || target === undefined) continue;
    const place = `${rule.name.replace(/\.s$/, '')}/${target}`;
    programs.set(place, [...(programs.get(place) ?? []), name]);
  }
  return [...programs].flatMap(([section, fasts]): TwoWays[] => {
    const [, hook, place] = /^(fentry|fexit)\/(.+)$/.exec(section) ?? [];
    if ((hook !== 'fentry' && hook !== 'fexit') || place === undefined) return [];
    const slows = programs.get(`${slower[hook]}/${place}`) ?? [];
    const [fast, slow] = [fasts[0], slows[0]];
    if (fast === undefined || slow === undefined || fasts.length + slows.length > 2) return [];
    return [{ place, hook, fast, slow }];
  });
}

/** @returns whether it is the faster way; says so in either case */
function takesFast({ place, hook, fast, slow }: TwoWays, note: (text: string) => void): boolean {
  const second = slower[hook];
  const against = reasonAgainst(hook, place);
  if (against === undefined) {
    note(`${place} is traced by ${hook} ('${fast}'): '${slow}' (${second}) is not loaded`);
    return true;
  }
  const { available, reason } = hookAvailable('kprobe');
  if (available === false) {
    throw new NetkitError(
      'unsupported',
      `neither way in to ${place} is possible: '${fast}' (${hook}): ${against}; '${slow}' (${second}): ${reason}`,
      { hint: '--only loads other programs of the object' },
    );
  }
  note(`${place} is traced by ${second} ('${slow}'), not by ${hook} ('${fast}'): ${against}`);
  return false;
}

function reasonAgainst(hook: Fast, place: string): string | undefined {
  const { available, reason } = hookAvailable(hook);
  if (available === false) return reason;
  return runningBtf()?.find(place, 'func') === undefined
    ? `the kernel's BTF has no function ${place}`
    : undefined;
}
