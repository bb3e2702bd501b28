/** Bringing back, after a reboot, what was loaded with `--persist`. */
import { ObjectSpec } from '../obj/spec.js';
import type { Action } from './action.js';
import type { Proposal, World } from './environment.js';
import { familyOf } from './hooks/index.js';
import { functionFolder } from './layout.js';
import type { LinkState } from './link-state.js';
import { applyChoices } from './load-function.js';
import { openTargets } from './load-targets.js';
import { openReused } from './reused-maps.js';
import type { FunctionState } from './state.js';
import { storedObjectFile } from './state-object.js';
import { relocated } from './targets/index.js';
import { chooseWays } from './ways-in.js';

/** True for a function of another boot that is to be brought back by itself: what manifests declare is reconciled. */
export function awaitsRestore(state: FunctionState, bootId: string): boolean {
  return state.persist && state.bootId !== bootId && state.declared === undefined;
}

/**
 * Loads the stored object again with its choices and attaches it where it was: targets are found by their names,
 * since indices and namespaces are new. Its maps are empty.
 * @throws NetkitError `not-found` when an interface or namespace is not there (yet): nothing is restored then
 */
export async function planRestore(world: World, state: FunctionState): Promise<Proposal> {
  const { name, options } = state;
  // A map of its own, taken over by `load --replace --reuse`, went with the boot.
  const others = Object.entries(options.reuse).filter(([, reference]) => !reference.startsWith(`${name}/`));
  const choices = { ...options, reuse: Object.fromEntries(others) };
  const spec = applyChoices(await ObjectSpec.read(world.store.objectPath(storedObjectFile(state))), choices);
  chooseWays(spec, choices, (text) => world.note(text));
  const folder = functionFolder(world.bpffs, name);
  const links = state.links.map(relocate);
  const after = {
    ...state,
    options: choices,
    change: world.change,
    bootId: world.bootId,
    bpffs: world.bpffs,
    links,
  };
  const attach = links.map((link): Action => ({ kind: 'attach', function: name, folder, link }));
  return {
    function: name,
    spec,
    restores: true,
    reuse: openReused(world, spec, choices, name),
    targets: openTargets(world, spec, choices.targets ?? {}),
    actions: [
      { kind: 'load', function: name, folder },
      ...attach,
      { kind: 'record', function: name, before: state, after },
    ],
  };
}

function relocate(link: LinkState): LinkState {
  const there: LinkState = relocatedLink(link);
  return familyOf(there).revive?.(there) ?? there;
}

function relocatedLink<L extends LinkState>(link: L): L {
  return { ...link, target: relocated(link.target) };
}
