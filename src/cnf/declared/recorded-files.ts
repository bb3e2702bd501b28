/** The files of the state directory, as somebody looks at them who follows what others apply. */
import { type FSWatcher, statSync, watch } from 'node:fs';
import { NetkitError } from '../../base/errors.js';
import { chainDocument, functionDocument } from '../manifest/schema.js';
import type { StateStore } from '../store.js';

/** The namespaces that declared functions and chains are in; null for the one of this process. What is damaged has none. */
export function namespacesOf(store: StateStore): Set<string | null> {
  const refs = new Set<string | null>();
  for (const name of store.names()) {
    const { declared } = store.peek(name) ?? {};
    const document =
      declared === undefined ? undefined : functionDocument.safeParse(declared.present.document).data;
    for (const { netns } of document?.spec.attach ?? []) refs.add(netns ?? null);
  }
  for (const name of store.chainNames()) {
    const document = chainDocument.safeParse(chainOf(store, name)?.document).data;
    if (document !== undefined) refs.add(document.spec.netns ?? null);
  }
  return refs;
}

/** A text that is another one when something was applied, removed or damaged since. */
export function changesOf(store: StateStore): string {
  const functions = store.names().map((name) => [name, store.peek(name)?.change]);
  const chains = store.chainNames().map((name) => [name, chainOf(store, name)?.change]);
  return JSON.stringify([functions, chains]);
}

function chainOf(store: StateStore, name: string) {
  try {
    return store.readChain(name);
  } catch (error) {
    if (error instanceof NetkitError && error.code === 'bad-state') return undefined;
    throw error;
  }
}

/** How often it looks for itself: the directory may be another one by now, or nobody may tell. */
const heartbeatMs = 1000;

/** Tells of files of functions and chains that are written, and perhaps of others. */
export function followState(directory: string, onChange: () => void): Disposable {
  const watcher = watcherOf(directory, onChange);
  let seen = stampOf(directory);
  const heartbeat = setInterval(() => {
    const now = stampOf(directory);
    if (now !== seen) onChange();
    seen = now;
  }, heartbeatMs);
  return {
    [Symbol.dispose]: () => {
      watcher?.close();
      clearInterval(heartbeat);
    },
  };
}

function watcherOf(directory: string, onChange: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(directory, (_, file) => {
      if (file === null || /^[a-z0-9].*\.(json|chain)$/.test(file)) onChange();
    });
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    // Too many are watched on this machine: the heartbeat sees it.
    return undefined;
  }
}

function stampOf(directory: string): string {
  const found = statSync(directory, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? '' : `${found.ino} ${found.mtimeNs}`;
}
