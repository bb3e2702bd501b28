/** Changes of unit files as data, and what performs them: in order, and back in reverse when one fails. */
import { chmodSync, mkdirSync, rmdirSync, symlinkSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { NetkitError } from '../../base/errors.js';
import { removeStaleTemporaries, syncDirectory, writeFileSynced } from '../../host/atomic-file.js';
import { fileError, fileErrorCode } from '../../host/file-errors.js';
import { steppingStone } from '../stepping-stone.js';
import type { UnitLink } from './unit-files.js';

export type UnitChange =
  | {
      readonly kind: 'write';
      readonly path: string;
      readonly text: string;
      readonly before: string | undefined;
    }
  | { readonly kind: 'enable'; readonly link: UnitLink }
  | { readonly kind: 'disable'; readonly link: UnitLink }
  | { readonly kind: 'remove'; readonly path: string; readonly before: string };

export function describeUnitChange(change: UnitChange): string {
  switch (change.kind) {
    case 'write':
      return `${change.before === undefined ? 'write' : 'replace'} ${change.path}`;
    case 'enable':
      return `enable it by the link ${change.link.path}`;
    case 'disable':
      return `remove the link ${change.link.path}`;
    case 'remove':
      return `remove ${change.path}`;
  }
}

/** @throws NetkitError `not-permitted`, `conflict`, `failed`; everything is then as it was before */
export function performUnitChanges(changes: readonly UnitChange[]): void {
  const done: UnitChange[] = [];
  try {
    for (const change of changes) {
      steppingStone();
      perform(change);
      done.push(change);
    }
    steppingStone();
  } catch (error) {
    for (const change of done.reverse()) perform(opposite(change));
    throw error;
  }
}

function opposite(change: UnitChange): UnitChange {
  switch (change.kind) {
    case 'write':
      return change.before === undefined
        ? { kind: 'remove', path: change.path, before: change.text }
        : { kind: 'write', path: change.path, text: change.before, before: change.text };
    case 'enable':
      return { kind: 'disable', link: change.link };
    case 'disable':
      return { kind: 'enable', link: change.link };
    case 'remove':
      return { kind: 'write', path: change.path, text: change.before, before: undefined };
  }
}

function perform(change: UnitChange): void {
  const path = 'path' in change ? change.path : change.link.path;
  try {
    switch (change.kind) {
      case 'write':
        makeFolder(dirname(path));
        writeFileSynced(path, change.text, { mode: 0o644 });
        return;
      case 'enable':
        makeFolder(dirname(path));
        symlinkSync(change.link.target, path);
        syncDirectory(dirname(path));
        return;
      case 'disable':
        unlinkSync(path);
        removeIfEmpty(dirname(path));
        return;
      case 'remove':
        unlinkSync(path);
        removeStaleTemporaries(dirname(path));
        syncDirectory(dirname(path));
        return;
    }
  } catch (error) {
    if (fileErrorCode(error) === 'EEXIST')
      throw new NetkitError('conflict', `'${path}' is somebody else's`, { details: { path }, cause: error });
    throw fileError(error, change.kind === 'remove' || change.kind === 'disable' ? 'remove' : 'write', path);
  }
}

/** Readable by all, whatever the umask: what systemd reads is no secret. */
function makeFolder(path: string): void {
  if (mkdirSync(path, { recursive: true, mode: 0o755 }) !== undefined) chmodSync(path, 0o755);
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (fileErrorCode(error) !== 'ENOTEMPTY') throw error;
  }
}
