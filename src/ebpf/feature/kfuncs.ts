/** Which functions of the kernel programs may call (kfuncs), as its BTF tells. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NetkitError } from '../../base/errors.js';
import { fileErrorCode } from '../../host/file-errors.js';
import { atLeast, kernelBtfPath } from '../../host/kernel.js';
import { type BtfFile, readBtf } from '../../obj/btf/read.js';
import { kfuncSince, knownKfuncs } from '../../obj/kernel-versions/kfuncs.js';
import { versionNumbers } from '../../obj/kernel-versions/version.js';
import { runningBtf } from '../kernel-btf.js';
import { type Availability, absent, type Feature, no, present, unknown } from './availability.js';

/** A function that programs may call. */
export interface KfuncFeature extends Feature {
  /** The kernel module that has it; `undefined` for the kernel itself, and for one that is not there. */
  readonly module: string | undefined;
}

const btfFolder = '/sys/kernel/btf';
/** What pahole and the kernel's build mark such functions with, since Linux 6.10. */
const kfuncTag = 'bpf_kfunc';

interface Blob {
  readonly module: string | undefined;
  readonly btf: BtfFile;
  /** The least id of a type of its own. */
  readonly first: number;
  readonly marked: ReadonlySet<string>;
  /** Whether the build of the kernel marked them; else `marked` is empty. */
  readonly areMarked: boolean;
}

/**
 * Every kfunc that the kernel and its loaded modules have or that netkit knows of, by name. Kernels before 6.10 do not mark
 * them: there a function of that name counts, when the kernel is new enough.
 */
export function allKfuncs(): KfuncFeature[] {
  const kernel = runningBtf();
  if (kernel === undefined) {
    const answer = unknown('this kernel has no BTF, and without it programs cannot call its functions');
    return knownKfuncs.map((name) => ({ name, since: kfuncSince(name), module: undefined, ...answer }));
  }
  const own = kernelBlob(kernel);
  const blobs = [own, ...modules(kernel, own.areMarked)];
  const names = new Set([...knownKfuncs, ...blobs.flatMap(({ marked }) => [...marked])]);
  return [...names].sort().map((name) => ({ name, since: kfuncSince(name), ...look(name, blobs) }));
}

/** Whether the kernel, or a module that is loaded, has a function for programs to call. */
export function kfuncAvailable(name: string): Availability {
  const kernel = runningBtf();
  if (kernel === undefined)
    return no('this kernel has no BTF, and without it programs cannot call its functions');
  const own = kernelBlob(kernel);
  const answer = look(name, [own]);
  return answer.available === false ? look(name, modules(kernel, own.areMarked)) : answer;
}

function look(name: string, blobs: readonly Blob[]): Availability & Pick<KfuncFeature, 'module'> {
  const since = kfuncSince(name);
  const home = blobs.find(({ btf, marked, areMarked, first }) =>
    areMarked ? marked.has(name) : (btf.find(name, 'func')?.id ?? -1) >= first,
  );
  const module = home?.module;
  if (home === undefined) {
    const { reason } = absent(since);
    return {
      module,
      ...no(reason.startsWith('it came') ? reason : 'neither the kernel nor a loaded module has it'),
    };
  }
  if (home.marked.has(name)) return { module, ...present(since) };
  // The function may have been there for the kernel's own use before programs were let at it.
  if (since === undefined)
    return {
      module,
      ...unknown('the kernel has the function, and does not tell whether programs may call it'),
    };
  return { module, ...(atLeast(...versionNumbers(since)) ? present(since) : absent(since)) };
}

function kernelBlob(btf: BtfFile): Blob {
  const marked = kfuncsIn(btf);
  return { module: undefined, btf, first: 1, marked, areMarked: marked.size > 0 };
}

function kfuncsIn(btf: BtfFile): Set<string> {
  const marked = new Set<string>();
  for (const { name, target } of btf.declarationTags())
    if (name === kfuncTag) marked.add(btf.type(target).name);
  return marked;
}

/** The modules that are loaded and have BTF. One that cannot be read is left out. */
function modules(kernel: BtfFile, areMarked: boolean): Blob[] {
  return moduleNames().flatMap((module) => {
    try {
      const btf = readBtf(readFileSync(join(btfFolder, module)), kernel);
      return [{ module, btf, first: kernel.count, marked: kfuncsIn(btf), areMarked }];
    } catch (error) {
      if (error instanceof NetkitError || fileErrorCode(error) !== undefined) return [];
      throw error;
    }
  });
}

function moduleNames(): string[] {
  try {
    return readdirSync(btfFolder).filter((name) => join(btfFolder, name) !== kernelBtfPath);
  } catch (error) {
    if (fileErrorCode(error) === undefined) throw error;
    return [];
  }
}
