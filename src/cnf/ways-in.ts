/**
 * Objects with two ways in to one function of the kernel: a program of `fentry/FUNCTION` and one of `kprobe/FUNCTION`, or of
 * `fexit` and `kretprobe`. The first that this kernel takes is loaded, and the other is not.
 */
import { NetkitError } from '../base/errors.js';
import { hookAvailable } from '../ebpf/feature.js';
import { runningBtf } from '../ebpf/kernel-btf.js';
import { sectionMeaning } from '../obj/sections.js';
import type { ObjectSpec, ProgramSpec } from '../obj/spec.js';
import type { Choices } from './load-function.js';

type Fast = 'fentry' | 'fexit';

const slower = { fentry: 'kprobe', fexit: 'kretprobe' } as const;

interface TwoWays {
  /** The function of the kernel. */
  readonly place: string;
  readonly hook: Fast;
  /** Names of programs. */
  readonly fast: string;
  readonly slow: string;
}

/** What becomes of one such pair. */
export interface WayIn {
  readonly place: string;
  /** The program that is loaded; undefined where neither is possible. */
  readonly taken: string | undefined;
  /** The one that is not. */
  readonly left: string | undefined;
  /** Which way that is and why, or why there is none. */
  readonly text: string;
}

/** Why a hook is no way to a function of the kernel; undefined when it is one. */
export type ReasonAgainst = (hook: Fast | (typeof slower)[Fast], place: string) => string | undefined;

/**
 * The pairs among these programs, and which way this kernel takes to each. Functions for which there is more than one
 * program of a kind have no pair.
 */
export function waysIn(
  programs: readonly Pick<ProgramSpec, 'name' | 'section'>[],
  against: ReasonAgainst = askedReason,
): WayIn[] {
  return pairsOf(programs).map(({ place, hook, fast, slow }) => {
    const second = slower[hook];
    const first = against(hook, place);
    if (first === undefined) {
      const text = `${place} is traced by ${hook} ('${fast}'): '${slow}' (${second}) is not loaded`;
      return { place, taken: fast, left: slow, text };
    }
    const last = against(second, place);
    if (last === undefined) {
      const text = `${place} is traced by ${second} ('${slow}'), not by ${hook} ('${fast}'): ${first}`;
      return { place, taken: slow, left: fast, text };
    }
    const text = `neither way in to ${place} is possible: '${fast}' (${hook}): ${first}; '${slow}' (${second}): ${last}`;
    return { place, taken: undefined, left: undefined, text };
  });
}

/** Has the ways that are not taken left out of what is loaded of the object. @returns every pair of its chosen programs */
export function leaveOtherWays(spec: ObjectSpec): WayIn[] {
  const ways = waysIn(spec.programs.filter(({ name }) => spec.chosen.has(name)));
  leaveOut(spec, ways);
  return ways;
}

/**
 * Leaves one program of each such pair among those that are loaded. Whoever names programs, by `only`, or a target of theirs,
 * has chosen already.
 * @throws NetkitError `unsupported` when neither is possible
 */
export function chooseWays(
  spec: ObjectSpec,
  { only, targets = {} }: Choices,
  note: (text: string) => void,
): void {
  if (only !== null) return;
  const open = spec.programs.filter(({ name }) => spec.chosen.has(name) && targets[name] === undefined);
  const ways = waysIn(open);
  for (const { taken, text } of ways) {
    if (taken === undefined)
      throw new NetkitError('unsupported', text, { hint: '--only loads other programs of the object' });
    note(text);
  }
  leaveOut(spec, ways);
}

function leaveOut(spec: ObjectSpec, ways: readonly WayIn[]): void {
  const left = new Set(ways.map((way) => way.left));
  const kept = [...spec.chosen].filter((name) => !left.has(name));
  if (kept.length < spec.chosen.size) spec.only(kept);
}

function pairsOf(all: readonly Pick<ProgramSpec, 'name' | 'section'>[]): TwoWays[] {
  const programs = new Map<string, string[]>();
  for (const { name, section } of all) {
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

function askedReason(hook: Parameters<ReasonAgainst>[0], place: string): string | undefined {
  const isProbe = hook === 'kprobe' || hook === 'kretprobe';
  const { available, reason } = hookAvailable(isProbe ? 'kprobe' : hook);
  if (available === false) return reason;
  // What a probe is for is looked up when it is attached.
  return isProbe || runningBtf()?.find(place, 'func') !== undefined
    ? undefined
    : `the kernel's BTF has no function ${place}`;
}
