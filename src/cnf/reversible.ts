/** Plans in a form that can be taken back wholly, for as long as it takes: what cannot be undone is put off. */
import { existsSync } from 'node:fs';
import type { Action } from './action.js';
import { asideFolder } from './layout.js';
import { perform, type Stage } from './perform.js';
import { keptFiles } from './state-object.js';
import { steppingStone } from './stepping-stone.js';
import type { StateStore } from './store.js';

/** What is done of an action at once, and what waits until nothing is to be taken back any more. */
export interface Reversible {
  readonly now: Action[];
  readonly later: Action[];
}

/** The action in a form that leaves what undoing needs. @param aside a number that is free, for pins put aside */
export function reversible(action: Action, store: StateStore, aside: (folder: string) => number): Reversible {
  switch (action.kind) {
    case 'unpin': {
      const to = asideFolder(action.folder, action.function, aside(action.folder));
      return { now: [{ ...action, kind: 'set-aside', to }], later: [{ ...action, folder: to }] };
    }
    case 'drop-object':
    case 'drop-entries':
      return { now: [], later: [action] };
    case 'store-object':
    case 'store-entries':
      // Named by its contents: one that waits to be dropped serves, and undoing must leave it.
      return { now: existsSync(store.objectPath(action.file)) ? [] : [action], later: [] };
    default:
      return { now: [action], later: [] };
  }
}

/** Does what was put off. It may be done twice. */
export function finish(actions: readonly Action[], stage: Stage): void {
  for (const action of actions) {
    // A later command may have loaded the same object again.
    const isNeeded =
      (action.kind === 'drop-object' || action.kind === 'drop-entries') &&
      keptFiles(stage.store.peek(action.function) ?? null).has(action.file);
    if (!isNeeded) perform(action, stage);
    steppingStone();
  }
}
