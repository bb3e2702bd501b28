/** A path that a user chose for a pin: on a bpffs, free, and not where netkit keeps its own. */
import { lstatSync, mkdirSync, realpathSync, rmdirSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { NetkitError } from '../base/errors.js';
import { netkitFolder } from '../cnf/layout.js';
import type { KernelObject } from '../ebpf/kernel-object.js';
import { fileError, fileErrorCode } from '../host/file-errors.js';
import { defaultBpffs, findBpffs, isBpffs, mountedBpffs } from '../host/mounts.js';
import type { CommandContext, Paths } from './context.js';
import type { ChangeAction } from './schema/index.js';

export class PinPlace {
  /** Absolute. */
  readonly path: string;
  /** Folders above it that are not there, from the outermost. */
  readonly #missing: readonly string[];

  private constructor(path: string, missing: readonly string[]) {
    this.path = path;
    this.#missing = missing;
  }

  /**
   * Looks whether a pin can be there, and mounts the usual bpffs where that is missing and wanted.
   * @throws NetkitError `usage`, `not-permitted`
   */
  static at(text: string, { paths, options }: CommandContext): PinPlace {
    if (!isAbsolute(text)) {
      throw new NetkitError('usage', `'${text}' is not an absolute path`, {
        hint: `a pin is a file on a bpffs, such as ${usedBpffs(paths) ?? defaultBpffs}/${basename(text)}`,
      });
    }
    const path = resolve(text);
    if (path.startsWith(`${defaultBpffs}/`) && !options.dryRun) mountedBpffs(undefined);
    const missing: string[] = [];
    let folder = dirname(path);
    for (; lookAt(folder) === undefined; folder = dirname(folder)) missing.unshift(folder);
    refuseOutside(path, folder, paths);
    refuseDots([...missing, path]);
    const real = join(realpathSync(folder), relative(folder, path));
    refuseOwnFolders(path, real, paths.bpffs);
    return new PinPlace(path, missing);
  }

  /** Whether something is there already. */
  get taken(): boolean {
    return lstatSync(this.path, { throwIfNoEntry: false }) !== undefined;
  }

  conflict(cause?: unknown): NetkitError {
    return new NetkitError('conflict', `there is something at ${this.path} already`, {
      details: { path: this.path },
      cause,
    });
  }

  /** Pins it, in folders made for it; what was made is removed when it fails. @throws NetkitError */
  pin(object: KernelObject): void {
    const made: string[] = [];
    try {
      for (const folder of this.#missing) {
        makeFolder(folder);
        made.unshift(folder);
      }
      object.pin(this.path);
    } catch (error) {
      for (const folder of made) rmdirSync(folder);
      throw error instanceof NetkitError && this.taken ? this.conflict(error) : error;
    }
  }

  /** What {@link pin} does, in words. */
  actions(what: string): ChangeAction[] {
    return [
      ...this.#missing.map((folder) => ({ kind: 'mkdir', about: `make the folder ${folder}` })),
      { kind: 'pin', about: `pin ${what} at ${this.path}` },
    ];
  }
}

function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    // A bpffs says so of any name with a dot.
    if (fileErrorCode(error) === 'EPERM' && basename(path).includes('.')) return undefined;
    throw fileError(error, 'look at', path);
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    throw fileError(error, 'make', path);
  }
}

/** The one that this command was told of, else one that is mounted. */
function usedBpffs({ bpffs, bpffsGiven }: Paths): string | undefined {
  return bpffsGiven && isBpffs(bpffs) ? bpffs : findBpffs();
}

function refuseOutside(path: string, folder: string, paths: Paths): void {
  if (lookAt(folder)?.isDirectory() !== true)
    throw new NetkitError('usage', `${path}: ${folder} is not a folder`);
  if (isBpffs(folder)) return;
  const mounted = usedBpffs(paths);
  throw new NetkitError('usage', `${path} is not in a bpf file system`, {
    hint:
      mounted === undefined
        ? `mount one: mount -t bpf bpf ${defaultBpffs}`
        : `one is mounted at ${mounted}, so ${mounted}/${basename(path)} would do`,
  });
}

/** The kernel refuses such names with a mere «not permitted». */
function refuseDots(paths: readonly string[]): void {
  const dotted = paths.map((path) => basename(path)).find((name) => name.includes('.'));
  if (dotted === undefined) return;
  throw new NetkitError('usage', `'${dotted}' has a dot, which names on a bpffs may not have`);
}

/** What lies there netkit lists, replaces and removes as parts of its functions. */
function refuseOwnFolders(path: string, real: string, bpffs: string): void {
  const own = [netkitFolder(mountRoot(dirname(real))), netkitFolder(bpffs)];
  if (
    !own.some((folder) => real === folder || real.startsWith(`${folder}/`) || path.startsWith(`${folder}/`))
  )
    return;
  throw new NetkitError('usage', `${path} is in a folder that netkit keeps for its functions`, {
    hint: 'choose a folder beside it',
  });
}

/** The uppermost folder of the bpffs that a path is in; folders that are still to be made have none. */
function mountRoot(path: string): string {
  const device = lookAt(path)?.dev;
  const parent = dirname(path);
  if (parent === path) return path;
  return device === undefined || lookAt(parent)?.dev === device ? mountRoot(parent) : path;
}
