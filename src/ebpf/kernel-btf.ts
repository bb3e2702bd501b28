import { readFileSync } from 'node:fs';
import { hasKernelBtf, kernelBtfPath } from '../host/kernel.js';
import { type BtfFile, readBtf } from '../obj/btf/read.js';
import type { BtfGraph } from '../obj/btf/types.js';
import { infoBlock, openById, readInfo } from '../sys/bpf.js';

const cache = new Map<number, BtfGraph>();

/**
 * The BTF that the kernel keeps under an id; needs CAP_SYS_ADMIN. Ids are not reused while netkit runs, so it is read once.
 * @throws SysError EPERM without the right, ENOENT when it is gone
 */
export function kernelBtf(id: number): BtfGraph {
  const known = cache.get(id);
  if (known !== undefined) return known;
  const graph = readBtf(kernelBtfBytes(id));
  cache.set(id, graph);
  return graph;
}

/** The same as the kernel keeps it: that of a module continues the kernel's own. @throws SysError like {@link kernelBtf} */
export function kernelBtfBytes(id: number): Uint8Array {
  using fd = openById('btf', id);
  const size = readInfo(fd, 'btfInfo').get('btf_size');
  const bytes = new Uint8Array(size);
  readInfo(fd, 'btfInfo', infoBlock('btfInfo').set('btf_size', size).point('btf', bytes));
  return bytes;
}

let running: BtfFile | undefined;

/** The running kernel's own BTF, from its file; undefined where there is none. The first time takes about 90 ms. @internal */
export function runningBtf(): BtfFile | undefined {
  if (running === undefined && hasKernelBtf()) running = readBtf(readFileSync(kernelBtfPath));
  return running;
}
