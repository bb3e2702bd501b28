import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { mount, unmount } from '../../src/sys/libc.js';
import type { Ground } from './ground.js';

/** What a reboot does to netkit: pins and links are gone, and its files are of another boot. Filters of tc stay here. */
export function reboot({ bpffs }: Ground): void {
  const { path } = bpffs.root;
  unmount(path);
  mount('bpf', path, 'bpf', 0, 'mode=0700');
  if (!existsSync(bpffs.stateDir)) return;
  for (const file of readdirSync(bpffs.stateDir).filter((name) => /\.(json|journal)$/.test(name)))
    rewrite(join(bpffs.stateDir, file), /("bootId":\s*)"[^"]*"/g, '$1"00000000-1111-2222-3333-444444444444"');
}

/** Changes a file of the state, which has to have what is to be changed. */
export function rewrite(file: string, what: RegExp, by: string): void {
  const text = readFileSync(file, 'utf8');
  const other = text.replace(what, by);
  expect(other).not.toBe(text);
  writeFileSync(file, other);
}
