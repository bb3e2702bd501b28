/** In which chains a program is, from the pins that all tools share. */
import { join } from 'node:path';
import { NetkitError } from '../../base/errors.js';
import { chainsFolder, dispatcherOf, programPin } from '../../ebpf/dispatcher/place.js';
import { Program } from '../../ebpf/program.js';
import { namesIn } from '../../host/folders.js';

/** A dispatcher's folder that has a member's pins. */
export interface Membership {
  readonly folder: string;
  readonly slot: number;
  readonly ifindex: number;
  readonly dispatcherId: number;
}

/** More than one only while somebody changes the chain, or was killed at it. */
export function memberships(bpffs: string, programId: number): Membership[] {
  const chains = chainsFolder(bpffs);
  return namesIn(chains).flatMap((name) => {
    const folder = join(chains, name);
    const dispatcher = dispatcherOf(folder);
    if (dispatcher === undefined) return [];
    const slots = namesIn(folder).flatMap((pin) => /^prog(\d)-prog$/.exec(pin)?.[1] ?? []);
    const slot = slots.find((each) => programAt(folder, Number(each)) === programId);
    if (slot === undefined) return [];
    return [{ folder, slot: Number(slot), ifindex: dispatcher.ifindex, dispatcherId: dispatcher.id }];
  });
}

function programAt(folder: string, slot: number): number | undefined {
  try {
    using program = Program.fromPin(programPin(folder, slot));
    return program.info().id;
  } catch (error) {
    if (error instanceof NetkitError) return undefined;
    throw error;
  }
}
