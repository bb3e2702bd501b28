/** Whose a name is: it belongs to the manifest that it was applied from, as long as that one is there and has it. */
import { existsSync } from 'node:fs';
import { NetkitError } from '../../base/errors.js';
import { readManifests } from '../manifest/read.js';
import type { FunctionState } from '../state.js';
import type { StateStore } from '../store.js';

/** A function or chain, and the manifest that is to declare it from now on; null for standard input. */
interface Claim {
  readonly name: string;
  readonly manifest: string | null;
}

/** @throws NetkitError `conflict` for the name of a chain, of a function loaded by hand, or of another manifest */
export async function refuseTakenFunction(
  { name, manifest }: Claim,
  state: FunctionState | undefined,
  store: StateStore,
  takeOver: boolean,
): Promise<void> {
  if (store.chainNames().includes(name))
    throw new NetkitError('conflict', `'${name}' is the name of a chain`, { hint: 'choose another name' });
  if (state === undefined || takeOver) return;
  if (state.declared === undefined) {
    throw new NetkitError('conflict', `a function '${name}' was loaded by hand: no manifest declares it`, {
      hint: `'--take-over' makes it the manifest's, 'netkit unload ${name}' removes it first`,
      details: { function: name },
    });
  }
  await refuseOther({ name, manifest }, state.declared.manifest);
}

/** @throws NetkitError `conflict` for the name of a function, or of a chain of another manifest */
export async function refuseTakenChain(
  { name, manifest }: Claim,
  state: FunctionState | undefined,
  store: StateStore,
  takeOver: boolean,
): Promise<void> {
  if (state !== undefined)
    throw new NetkitError('conflict', `'${name}' is the name of a function`, { hint: 'choose another name' });
  if (!takeOver) await refuseOther({ name, manifest }, store.readChain(name)?.manifest ?? null);
}

async function refuseOther({ name, manifest }: Claim, recorded: string | null): Promise<void> {
  if (recorded === null || recorded === manifest || !(await stillHas(recorded, name))) return;
  throw new NetkitError('conflict', `'${name}' was applied from ${recorded}`, {
    hint: `apply that one, or add '--take-over' so that the name belongs to this one from now on`,
    details: { name, manifest: recorded },
  });
}

/** What cannot be read may have it. */
async function stillHas(path: string, name: string): Promise<boolean> {
  if (!existsSync(path)) return false;
  try {
    const { documents } = await readManifests([path]);
    return documents.some(({ document }) => document.metadata.name === name);
  } catch (error) {
    if (error instanceof NetkitError) return true;
    throw error;
  }
}
