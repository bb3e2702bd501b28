/** What a reboot does to netkit: pins and attachments are gone, and its files are of another boot. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { mount, unmount } from '../../src/sys/libc.js';
import type { Ground } from './ground.js';
import { stateFile } from './hook-ground.js';

/** For links, which go with their pins. What is no link, as a filter of tc, stays. */
export function reboot({ bpffs }: Ground): void {
  const { path } = bpffs.root;
  unmount(path);
  mount('bpf', path, 'bpf', 0, 'mode=0700');
  if (!existsSync(bpffs.stateDir)) return;
  for (const file of readdirSync(bpffs.stateDir).filter((name) => /\.(json|journal|pending)$/.test(name)))
    toAnotherBoot(join(bpffs.stateDir, file));
}

/** For one function, also where its attachments outlast their pins: it is unloaded, and then its files are there again. */
export function rebootUnloading(ground: Ground, object: string, name = 'o'): void {
  const path = stateFile(ground, name);
  const state = readFileSync(path, 'utf8');
  ground.does('unload', name);
  const file = /"file": "([^"]+)"/.exec(state)?.[1] ?? '';
  writeFileSync(join(ground.bpffs.stateDir, file), readFileSync(object));
  writeFileSync(path, state);
  toAnotherBoot(path);
}

function toAnotherBoot(file: string): void {
  rewrite(file, /("bootId":\s*)"[^"]*"/g, '$1"00000000-1111-2222-3333-444444444444"');
}

/** Changes a file of the state, which has to have what is to be changed. */
export function rewrite(file: string, what: RegExp, by: string): void {
  const text = readFileSync(file, 'utf8');
  const other = text.replace(what, by);
  expect(other).not.toBe(text);
  writeFileSync(file, other);
}
