/** The steps by which another object takes a function's place: loaded aside, each link swapped, the folders exchanged. */
import { NetkitError } from '../../base/errors.js';
import type { Action } from '../action.js';
import { detachActions, handedOver, heirs } from '../detach-function.js';
import type { World } from '../environment.js';
import type { StatedProgram } from '../hooks/family.js';
import { describeTarget, familyOf } from '../hooks/index.js';
import { tablesOf } from '../hooks/struct-ops.js';
import { functionFolder, pinPath, stagingFolder } from '../layout.js';
import type { LinkState } from '../link-state.js';
import type { FunctionState } from '../state.js';
import { keptFiles } from '../state-object.js';
import { describePlace, targetText } from '../targets/index.js';

export interface Replacing {
  readonly world: World;
  readonly before: FunctionState;
  readonly after: FunctionState;
  /** Replace also what the kernel cannot swap. */
  readonly allowGap: boolean;
  /** Maps that the new programs take over, beside those that `after` reuses, by the object's names. */
  readonly kept?: Readonly<Record<string, string>>;
  /** Names of links that do not get the new programs, but go. */
  readonly leaving?: ReadonlySet<string> | undefined;
  /** What is done when the new programs are loaded, and nothing is swapped yet. */
  readonly beforeSwap?: readonly Action[];
  /** What is done as soon as everything is swapped. */
  readonly afterSwap?: readonly Action[];
}

/**
 * The new programs and maps are pinned aside, each link is swapped, then the folders change places.
 * @throws NetkitError `conflict` when a link could not be kept, `unsupported` for a gap that is not allowed
 */
export function replaceActions(replacing: Replacing): Action[] {
  const { world, before, after, leaving = new Set() } = replacing;
  const { name } = before;
  const folder = functionFolder(world.bpffs, name);
  const staging = stagingFolder(world.bpffs, name);
  const gone = before.links.filter((link) => leaving.has(link.name));
  const staying = before.links.filter((link) => !leaving.has(link.name));
  refuseUnkept(replacing, staying);
  const move = (from: string, to: string, displaced?: string): Action => ({
    kind: 'move',
    function: name,
    from,
    to,
    displaced,
  });
  return [
    { kind: 'load', function: name, folder: staging },
    ...(replacing.beforeSwap ?? []),
    ...staying.map(
      (link): Action => ({
        kind: 'swap',
        function: name,
        folder,
        link,
        from: pinPath(folder, familyOf(link).pins ?? 'progs', link.program),
        to: pinPath(staging, familyOf(link).pins ?? 'progs', link.program),
      }),
    ),
    ...(replacing.afterSwap ?? []),
    // Where they are taken back, the old programs are in the function's folder again.
    ...detachActions(before, gone),
    move(`${folder}/progs`, `${staging}/old_progs`),
    move(`${folder}/maps`, `${staging}/old_maps`),
    move(`${staging}/progs`, `${folder}/progs`, `${staging}/old_progs`),
    move(`${staging}/maps`, `${folder}/maps`, `${staging}/old_maps`),
    ...heirs(world, before, gone),
    { kind: 'record', function: name, before, after: { ...after, links: handedOver(gone, staying) } },
    { kind: 'unpin', function: name, folder: staging },
    ...dropOld(before, after),
  ];
}

function refuseUnkept(
  { before, after, allowGap, kept = {} }: Replacing,
  staying: readonly LinkState[],
): void {
  const { name } = before;
  const oldTypes = new Map(attachable(before).map((program) => [program.name, program.type]));
  for (const link of staying) {
    const program = attachable(after).find((each) => each.name === link.program);
    const next = { program, reuse: { ...after.options.reuse, ...kept }, function: name };
    const lacks =
      program === undefined
        ? `has no program '${link.program}'`
        : program.type !== oldTypes.get(link.program)
          ? `has '${link.program}' as another type`
          : familyOf(link).refuseReplacement?.(link, { ...next, program });
    if (lacks === undefined) {
      if (familyOf(link).replacing === 'gap' && !allowGap) throw gapRefused(link);
      continue;
    }
    throw new NetkitError(
      'conflict',
      `the new object ${lacks}, which is attached to ${link.hook} of ${nameOfTarget(link)}`,
      {
        hint: `detach it first: netkit detach ${name}/${link.program}${targetWord(link)}`,
      },
    );
  }
}

function attachable(state: FunctionState): StatedProgram[] {
  return [...state.programs, ...tablesOf(state)];
}

/** @returns the error for a gap that was not allowed */
export function gapRefused(link: LinkState): NetkitError {
  return new NetkitError(
    'unsupported',
    `the kernel cannot swap the program of ${describeTarget(link)}: for a moment there would be none`,
    { hint: 'add --allow-gap to have it replaced all the same' },
  );
}

function nameOfTarget({ target }: LinkState): string {
  return targetText(target) ?? describePlace(target);
}

function targetWord({ target }: LinkState): string {
  const text = targetText(target);
  return text === null ? '' : ` ${text}`;
}

/** The object that is not needed any more. */
export function dropOld(before: FunctionState | null, after: FunctionState): Action[] {
  if (before === null) return [];
  const { object } = before;
  if (object === null || keptFiles(after).has(object.file)) return [];
  return [{ kind: 'drop-object', function: before.name, file: object.file }];
}
