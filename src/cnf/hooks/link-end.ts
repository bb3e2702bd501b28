/** The end of a pinned link: at once where the kernel can, else with its last reference, which it lets go a little later. */
import { unlinkSync } from 'node:fs';
import { NetkitError } from '../../base/errors.js';
import { Link } from '../../ebpf/link.js';
import { steppingStone } from '../stepping-stone.js';

/** Under load up to 55 ms were seen. */
const patienceMs = 1000;
const stepMs = 2;

/**
 * Detaches and unpins, in this order: the last reference alone would let go only later.
 * @throws NetkitError `conflict` when somebody else holds a link that ends only with its last reference; its pin stays
 */
export function detachAndWait(path: string): void {
  const id = detachOrId(path);
  steppingStone();
  unlinkSync(path);
  if (id === undefined || waitUntilGone(id)) return;
  using left = Link.fromId(id);
  left.pin(path);
  throw new NetkitError('conflict', `link ${id} stays attached: another pin or process holds it too`, {
    hint: "'bpftool link show' names the processes that hold it",
    details: { link: id },
  });
}

/** @returns the link's id when it is of a kind that cannot be detached before its last reference goes */
function detachOrId(path: string): number | undefined {
  using link = Link.fromPin(path);
  try {
    link.detach();
    return undefined;
  } catch (error) {
    if (error instanceof NetkitError && error.code === 'unsupported') return link.info().id;
    throw error;
  }
}

/** @returns whether the link is gone; true also where this user may not know */
export function waitUntilGone(id: number): boolean {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let waited = 0; waited < patienceMs; waited += stepMs) {
    if (isGone(id)) return true;
    Atomics.wait(pause, 0, 0, stepMs);
  }
  return isGone(id);
}

function isGone(id: number): boolean {
  try {
    using _link = Link.fromId(id);
    return false;
  } catch (error) {
    if (error instanceof NetkitError && ['not-found', 'not-permitted'].includes(error.code)) return true;
    throw error;
  }
}
