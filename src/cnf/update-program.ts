/** Putting another program of the same function into links, in place. */
import { NetkitError } from '../base/errors.js';
import type { Action } from './action.js';
import { loadedState } from './attach-function.js';
import { isAlive } from './attachment.js';
import { programNamed, takes } from './choose-programs.js';
import type { World } from './environment.js';
import type { StatedProgram } from './hooks/family.js';
import { describeTarget, familyOf, hookNamed } from './hooks/index.js';
import { withTables } from './hooks/struct-ops.js';
import { functionFolder, pinPath } from './layout.js';
import type { LinkState } from './link-state.js';
import {
  gone,
  type LinkChoice,
  linksMeant,
  nothingAttached,
  type RearrangeProposal,
} from './rearrange-function.js';
import { gapRefused } from './replacing/actions.js';
import type { FunctionState } from './state.js';

export interface UpdateProgramRequest extends LinkChoice {
  /** The program of the function that is to run there. */
  readonly next: string;
  /** Also where the kernel cannot swap: for a moment there is no program then. */
  readonly allowGap: boolean;
}

/**
 * @throws NetkitError `not-found` when nothing of the kind is attached, or there is no such program; `usage` for a program
 *   that does not go there; `conflict` when it is there already beside the one it is to replace; `unsupported` for a gap that
 *   is not allowed, and for members of chains
 */
export function planUpdateProgram(world: World, request: UpdateProgramRequest): RearrangeProposal {
  const state = loadedState(world, request.function);
  const folder = functionFolder(state.bpffs, state.name);
  const next = programNamed(withTables(state, world.store), request.next);
  const meant = linksMeant(state, request);
  if (meant.length === 0) throw nothingAttached(request);
  const changing = meant.filter(({ program }) => program !== next.name);
  for (const link of changing) refuseMisfit(state, link, next, request.allowGap);
  const dead = changing.find((link) => !isAlive(folder, link));
  if (dead !== undefined) throw gone(dead);
  const actions = changing.map((link): Action => {
    const { replacing, pins = 'progs' } = familyOf(link);
    if (replacing === 'overlap')
      world.note(`the kernel cannot swap ${describeTarget(link)}: for a moment both programs run`, link.name);
    return {
      kind: 'swap',
      function: state.name,
      folder,
      link,
      from: pinPath(folder, pins, link.program),
      to: pinPath(folder, pins, next.name),
      program: next.name,
    };
  });
  const updated = (link: LinkState): LinkState =>
    changing.includes(link) ? { ...link, program: next.name } : link;
  const after = { ...state, change: world.change, links: state.links.map(updated) };
  return {
    function: state.name,
    links: meant.map(updated),
    actions:
      actions.length === 0
        ? []
        : [...actions, { kind: 'record', function: state.name, before: state, after }],
  };
}

function refuseMisfit(state: FunctionState, link: LinkState, next: StatedProgram, allowGap: boolean): void {
  const where = describeTarget(link);
  if (familyOf(link).copyPin !== undefined) {
    throw new NetkitError('unsupported', `a member of a chain is made for its program: ${where}`, {
      hint: `'netkit replace ${state.name} OBJECT' swaps it, or detach it and attach '${next.name}'`,
    });
  }
  const entry = hookNamed(link.hook)?.entry;
  if (entry === undefined || !takes(entry, next))
    throw new NetkitError('usage', `'${next.name}' (${next.section}) cannot run on ${link.hook}`);
  const present = state.links.find(
    (each) => each.program === next.name && describeTarget(each) === describeTarget(link),
  );
  if (present !== undefined)
    throw new NetkitError('conflict', `${state.name}/${next.name} is attached to ${where} too`);
  const reuse = Object.fromEntries(state.maps.map(({ name }) => [name, `${state.name}/${name}`]));
  const { refuseReplacement, replacing } = familyOf(link);
  const lacks = refuseReplacement?.(link, { program: next, reuse, function: state.name });
  if (lacks !== undefined) throw new NetkitError('conflict', `the function ${lacks}: not for ${where}`);
  if (replacing === 'gap' && !allowGap) throw gapRefused(link);
}
