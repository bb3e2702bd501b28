/** Where a manifest takes the object of a running function from. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { NetkitError } from '../../base/errors.js';
import { writeFileSynced } from '../../host/atomic-file.js';
import { refuseUntrusted } from '../../host/trusted-file.js';
import { builtinObject, builtinPrefix } from '../builtin-object.js';
import type { FunctionState } from '../state.js';
import { storedObjectFile } from '../state-object.js';
import type { StateStore } from '../store.js';

export type ExportedProgram = { readonly builtin: string } | { readonly object: string };

export interface ProgramSource {
  readonly program: ExportedProgram;
  /** Why it is not what it was loaded from, for people. */
  readonly note: string | undefined;
  /** The file that was written. */
  readonly file: string | undefined;
}

/**
 * The file that the function was loaded from, while it still is that; else a copy of the stored object in `folder`, or the
 * stored object itself.
 * @throws NetkitError `unsupported` for a function that was adopted, `bad-state` when the stored object is gone
 */
export function programOf(
  state: FunctionState,
  store: StateStore,
  folder: string | undefined,
): ProgramSource {
  const file = storedObjectFile(state);
  const { path = '', sha256 = '' } = state.object ?? {};
  const builtin = builtinOf(path);
  const reason = reasonAgainst(builtin, path, sha256);
  if (reason === undefined)
    return {
      program: builtin === undefined ? { object: path } : { builtin },
      note: undefined,
      file: undefined,
    };
  const stored = store.objectPath(file);
  if (folder === undefined) {
    const note = `${reason}: this is the copy that netkit keeps, which goes when the function is unloaded`;
    return { program: { object: stored }, note, file: undefined };
  }
  const copy = join(folder, `${state.name}.bpf.o`);
  writeFileSynced(copy, bytesOf(stored), { mode: 0o644 });
  return { program: { object: copy }, note: `${reason}: this is a copy`, file: copy };
}

/** The name of the function that comes with netkit, when it is one; by hand it is loaded from a path. */
function builtinOf(path: string): string | undefined {
  if (path.startsWith(builtinPrefix)) return path.slice(builtinPrefix.length);
  const name = basename(path, '.bpf.o');
  try {
    return builtinObject(name) === path ? name : undefined;
  } catch (error) {
    if (error instanceof NetkitError && error.code === 'not-found') return undefined;
    throw error;
  }
}

/** Why the object cannot be had from where it was loaded; undefined when it can. */
function reasonAgainst(builtin: string | undefined, path: string, sha256: string): string | undefined {
  if (builtin === undefined && path.endsWith('.c')) return `it was compiled from ${path}`;
  try {
    if (builtin === undefined) refuseUntrusted(path, 'object');
    const bytes = readFileSync(builtin === undefined ? path : builtinObject(builtin));
    const isSame = createHash('sha256').update(bytes).digest('hex') === sha256;
    return isSame ? undefined : `${path} has other contents by now`;
  } catch (error) {
    if (error instanceof NetkitError && error.code !== 'not-found') return error.message;
    return `${path} is not there any more`;
  }
}

function bytesOf(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new NetkitError('bad-state', `${path}, the object that was loaded, cannot be read`, {
      cause: error,
    });
  }
}
