/** Chains as they were applied last, from their files, and those whose files are damaged. */
import { NetkitError } from '../../base/errors.js';
import type { ChainState } from '../chain-state.js';
import type { FunctionState } from '../state.js';
import type { StateStore } from '../store.js';
import type { DesiredChain } from './chains.js';
import type { Desire, Desires, Leaving } from './plan-manifest.js';
import { Problems } from './problems.js';
import { chainDocumentOf } from './recorded.js';

export function recordedChain(chain: ChainState): Desire<DesiredChain> {
  const problems = new Problems();
  const { name, manifest } = chain;
  const desired = { name, document: chainDocumentOf(chain), manifest, problems };
  return { desired, read: undefined, problems };
}

/** Why files of chains cannot be read, by their names. */
export function damagedChains(store: StateStore): Map<string, NetkitError> {
  const damaged = new Map<string, NetkitError>();
  for (const name of store.chainNames()) {
    try {
      const chain = store.readChain(name);
      if (chain !== undefined) recordedChain(chain);
    } catch (error) {
      if (!(error instanceof NetkitError) || error.code !== 'bad-state') throw error;
      damaged.set(name, error);
    }
  }
  return damaged;
}

/** Of a chain that cannot be read its members are known by their links: those stay as they are. @throws NetkitError `bad-state` */
export function refuseDamaged(
  { functions, chains }: Desires,
  states: ReadonlyMap<string, FunctionState>,
  store: StateStore,
  leaving: Leaving,
): void {
  const anew = new Set([...leaving.chains, ...chains.map(({ desired }) => desired.name)]);
  for (const [chain, error] of damagedChains(store)) {
    if (anew.has(chain)) continue;
    const member = functions.find(({ desired }) =>
      states.get(desired.name)?.declared?.links.some((link) => link.chain === chain),
    );
    if (member === undefined) continue;
    throw new NetkitError(
      error.code,
      `'${member.desired.name}' is in the chain '${chain}', and ${error.message}`,
      {
        hint: error.hint,
        cause: error,
      },
    );
  }
}
