/** Pinning what another tool made, in netkit's places; its own pins, if any, are left alone. */
import { rmdirSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { NetkitError } from '../../base/errors.js';
import type { KernelObject } from '../../ebpf/kernel-object.js';
import { Link } from '../../ebpf/link.js';
import { BpfMap } from '../../ebpf/map.js';
import { identifyPin, type PinnedObject } from '../../ebpf/pin-index.js';
import { Program } from '../../ebpf/program.js';
import { exists, makeFolder, namesIn } from '../../host/folders.js';
import type { Adopt, AdoptedObject } from '../action.js';
import { pinPath, removeEmptyFolders } from '../layout.js';

const openers: Readonly<Record<AdoptedObject['folder'], (id: number) => KernelObject>> = {
  progs: (id) => Program.fromId(id),
  maps: (id) => BpfMap.fromId(id),
  links: (id) => Link.fromId(id),
};

/** What is pinned there already is left. @throws NetkitError `not-found` for what has gone meanwhile */
export function pinAdopted({ folder, objects }: Adopt): void {
  for (const object of objects) pinOne(folder, object);
}

function pinOne(folder: string, { folder: kind, name, id }: AdoptedObject): void {
  const path = pinPath(folder, kind, name);
  if (exists(path)) return;
  using opened = openers[kind](id);
  makeFolder(dirname(path));
  opened.pin(path);
}

/** Takes netkit's pins away again. Nothing is detached: whoever held it before still does. */
export function unpinAdopted({ folder, objects }: Adopt): void {
  for (const { folder: kind, name } of objects) {
    const path = pinPath(folder, kind, name);
    if (exists(path)) unlinkSync(path);
    const kindFolder = dirname(path);
    if (exists(kindFolder) && namesIn(kindFolder).length === 0) rmdirSync(kindFolder);
  }
  removeEmptyFolders(folder);
}

/** Removes pins of the other tool, those only that still are what they were. */
export function dropPins(pins: readonly PinnedObject[]): void {
  for (const { path, kind, id } of pins) {
    if (!exists(path)) continue;
    const found = identifyPin(path);
    if (found?.kind === kind && found.id === id) removePin(path);
  }
}

function removePin(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    throw new NetkitError('failed', `the pin ${path} cannot be removed`, { cause: error });
  }
}
