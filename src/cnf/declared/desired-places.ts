/** Where a declared function is to attach: one place for each interface or other target. */

import type { Hook } from '../../base/hook-names.js';
import { suggestion } from '../../base/suggest.js';
import { isPattern, matchesPattern } from '../../host/interface-pattern.js';
import type { ObjectSpec } from '../../obj/spec.js';
import { takes } from '../choose-programs.js';
import type { HookOptions, StatedProgram } from '../hooks/family.js';
import { hookNamed, naturalHook } from '../hooks/index.js';
import { tablesOf } from '../hooks/struct-ops.js';
import type { Attachment } from '../manifest/schema.js';
import type { Problems } from './problems.js';

/** One place of a document, or one element of its `interfaces`, which may be a pattern. */
export interface DesiredPlace {
  readonly program: string;
  /** Null where the section of the program decides, and only loading tells. */
  readonly hook: Hook | null;
  /** The interface or pattern, or another target; undefined where the section names it, and where there is none. */
  readonly target: string | undefined;
  readonly isInterface: boolean;
  /** Undefined for the one that netkit runs in. */
  readonly netns: string | undefined;
  readonly missing: 'wait' | 'fail';
  readonly options: HookOptions;
  /** The chain that asks for it; undefined for the function's own. */
  readonly chain?: string | undefined;
  /** Where in the document it is said. */
  readonly path: readonly (string | number)[];
}

/** The places of `spec.attach`, checked as far as that is possible without the kernel. */
export function desiredPlaces(
  attachments: readonly Attachment[],
  spec: ObjectSpec,
  problems: Problems,
): DesiredPlace[] {
  return attachments.flatMap((attachment, index): DesiredPlace[] => {
    const path = ['spec', 'attach', index];
    const program = programFor(spec, attachment, path, problems);
    if (program === undefined) return [];
    const { interfaces, target, netns, missing } = attachment;
    const hook = attachment.hook ?? hookOf(spec, program);
    const about = { program, hook, netns, options: hookOptions(attachment) };
    if (interfaces === undefined)
      return [{ ...about, target, isInterface: false, missing: missing ?? 'fail', path }];
    return interfaces.map((ifname, at) => ({
      ...about,
      target: ifname,
      isInterface: true,
      missing: missing ?? (isPattern(ifname) ? 'wait' : 'fail'),
      path: [...path, 'interfaces', at],
    }));
  });
}

/** What tells two places of a function apart. */
export function placeKey({ program, hook, netns, target }: DesiredPlace): string {
  return [program, hook ?? '', netns ?? '', target ?? ''].join(' ');
}

/** The program that is named, or the one that the object has for the hook. */
export function programFor(
  spec: ObjectSpec,
  { program, hook }: Pick<Attachment, 'program' | 'hook'>,
  path: readonly (string | number)[],
  problems: Problems,
): string | undefined {
  const chosen = attachable(spec);
  if (program !== undefined) {
    if (chosen.some(({ name }) => name === program)) return program;
    const names = chosen.map(({ name }) => name);
    problems.add(
      [...path, 'program'],
      `the object has no program '${program}'`,
      suggestion(program, names) ?? `it has ${names.join(', ')}`,
    );
    return undefined;
  }
  const entry = hook === undefined ? undefined : hookNamed(hook)?.entry;
  if (hook === undefined || entry === undefined) {
    problems.add([...path, 'hook'], `nothing can be attached to '${hook ?? ''}' yet`);
    return undefined;
  }
  const madeFor = (wanted: Hook) => chosen.filter((each) => naturalHook(each)?.entry.hook === wanted);
  // Where there is no tcx, what was made for it goes to tc in the same direction.
  const likeIt = hook === 'tc/ingress' ? 'tcx/ingress' : hook === 'tc/egress' ? 'tcx/egress' : hook;
  const fitting =
    [madeFor(hook), madeFor(likeIt)].find(({ length }) => length > 0) ??
    chosen.filter((each) => takes(entry, each));
  const [only, ...others] = fitting;
  if (only !== undefined && others.length === 0) return only.name;
  const names = fitting.map(({ name }) => name);
  problems.add(
    path,
    only === undefined
      ? `the object has no program for ${hook}`
      : `the object has ${fitting.length} programs for ${hook}: ${names.join(', ')}`,
    only === undefined ? undefined : "say which one with 'program'",
  );
  return undefined;
}

function hookOf(spec: ObjectSpec, name: string): Hook | null {
  const program = attachable(spec).find((each) => each.name === name);
  return program === undefined ? null : (naturalHook(program)?.entry.hook ?? null);
}

/** What is loaded of the object: programs, and tables of callbacks, which take the place of programs. */
function attachable(spec: ObjectSpec): StatedProgram[] {
  const programs = spec.programs
    .filter(({ name }) => spec.chosen.has(name))
    .map(({ name, section, type }) => ({ name, section, type }));
  const structs = new Map(spec.structOps().map(({ name, struct }) => [name, struct]));
  const maps = spec.maps.map(({ name, type }) => ({ name, type }));
  return [...programs, ...tablesOf({ maps }, (name) => structs.get(name))];
}

function hookOptions({
  mode,
  priority,
  proceedOn,
  direct,
  place,
  cookie,
  pid,
  family,
  stage,
  defrag,
}: Attachment): HookOptions {
  const options: HookOptions = {
    mode,
    priority,
    proceedOn,
    direct: direct === true ? true : undefined,
    place,
    cookie: cookie === undefined ? undefined : BigInt(cookie),
    pid,
    family,
    stage,
    defrag,
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** The interfaces of `known` that a place means. */
export function interfacesOf(place: DesiredPlace, known: readonly string[]): string[] {
  const { target } = place;
  if (!place.isInterface || target === undefined) return [];
  // Nobody who writes `*` means the loopback interface.
  return known.filter((ifname) => matchesPattern(target, ifname) && (ifname !== 'lo' || target === 'lo'));
}
