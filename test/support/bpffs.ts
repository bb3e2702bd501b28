import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Scope } from '../../src/base/scope.js';
import { isBpffs } from '../../src/host/mounts.js';
import { mount, unmount } from '../../src/sys/libc.js';

/** Begins the name of every folder that a test process makes; the rest tells which process. */
export const testFolderPrefix = join(tmpdir(), 'netkit-test-');

/** A bpf file system and a state directory of a test's own. Disposing unmounts and removes both, pins and all. */
export class TestBpffs implements Disposable {
  /** Temporary folder with `bpf`, `state` and whatever else a test puts there. */
  readonly folder: string;
  readonly root: { readonly path: string };
  readonly stateDir: string;
  /** What makes the command line use both. */
  readonly env: { readonly NETKIT_BPFFS: string; readonly NETKIT_STATE_DIR: string };
  readonly #scope: Scope;

  constructor(folder: string, path: string, scope: Scope) {
    this.folder = folder;
    this.root = { path };
    this.stateDir = join(folder, 'state');
    this.env = { NETKIT_BPFFS: path, NETKIT_STATE_DIR: this.stateDir };
    this.#scope = scope;
  }

  /** Paths of all pins below the root, relative to it, sorted. */
  pins(): string[] {
    return listPins(this.root.path);
  }

  [Symbol.dispose](): void {
    this.#scope[Symbol.dispose]();
  }
}

/** Mounts a bpf file system in a new temporary folder. The state directory is not made: netkit does that. */
export function makeBpffs(): TestBpffs {
  using scope = new Scope();
  const folder = mkdtempSync(`${testFolderPrefix}${process.pid}-`);
  scope.defer(() => {
    rmSync(folder, { recursive: true });
  });
  const path = join(folder, 'bpf');
  mkdirSync(path);
  mount('bpf', path, 'bpf', 0, 'mode=0700');
  scope.defer(() => {
    unmount(path);
  });
  if (!isBpffs(path)) throw new Error(`no bpf file system at ${path} after mounting it`);
  return new TestBpffs(folder, path, scope.move());
}

// Kernels with CONFIG_BPF_PRELOAD put these into every bpf file system.
const kernelsOwn = ['maps.debug', 'progs.debug'];

/** Paths of all pins below the root of a bpf file system, relative to it, sorted; without those the kernel makes. */
export function listPins(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .filter((path) => !kernelsOwn.includes(path))
    .sort();
}
