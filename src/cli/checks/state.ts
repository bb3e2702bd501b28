import { statSync } from 'node:fs';
import { NetkitError } from '../../base/errors.js';
import { readPending } from '../../cnf/pending/record.js';
import { StateStore } from '../../cnf/store.js';
import { fileErrorCode } from '../../host/file-errors.js';
import { pendingDocument, pendingText } from '../confirmation.js';
import type { Paths } from '../context.js';
import { type Check, check } from './check.js';

/** The state directory, and what killed commands left in it. */
export function stateChecks({ stateDir }: Paths): Check[] {
  const name = 'state directory';
  let mode: number;
  let owner: number;
  try {
    const status = statSync(stateDir);
    if (!status.isDirectory())
      return [check(name, 'missing', `'${stateDir}' is not a directory`, 'remove it')];
    ({ mode, uid: owner } = status);
  } catch (error) {
    if (fileErrorCode(error) !== 'ENOENT')
      return [check(name, 'unknown', `'${stateDir}' may not be looked at`)];
    return [
      check(name, 'ok', `'${stateDir}' is not there yet: the first change makes it`),
      leftovers(undefined),
    ];
  }
  return [directory(name, stateDir, mode, owner), ...contents(new StateStore(stateDir))];
}

function directory(name: string, path: string, mode: number, owner: number): Check {
  if ((mode & 0o022) !== 0 || (owner !== 0 && owner !== process.geteuid?.())) {
    return check(name, 'warning', `others can write to '${path}'`, `chown root ${path} && chmod 700 ${path}`);
  }
  return check(name, 'ok', path);
}

function contents(store: StateStore): Check[] {
  try {
    return [...damaged(store), leftovers(store), ...pending(store)];
  } catch (error) {
    if (!(error instanceof NetkitError)) throw error;
    if (error.code === 'not-permitted') return [check('leftovers', 'unknown', error.message, error.hint)];
    return [check('leftovers', 'warning', error.message, error.hint)];
  }
}

/** One line for each state file that cannot be read. */
function damaged(store: StateStore): Check[] {
  return store.names().flatMap((name) => {
    try {
      store.read(name);
      return [];
    } catch (error) {
      if (!(error instanceof NetkitError) || error.code !== 'bad-state') throw error;
      return [check(`state of ${name}`, 'warning', error.message, error.hint)];
    }
  });
}

function leftovers(store: StateStore | undefined): Check {
  const journal = store?.readJournal();
  if (journal === undefined) return check('leftovers', 'ok', 'no command was killed half way');
  return check(
    'leftovers',
    'warning',
    `'${journal.command}', started at ${journal.startedAt}, is running or was killed half way`,
    "if it does not run any more: 'netkit recover', or any command that changes something, clears it",
  );
}

/** One line for each change that waits, and for each file about one that cannot be read. */
function pending(store: StateStore): Check[] {
  return store.pendingNames().flatMap((name) => {
    const title = `change to ${name}`;
    try {
      const change = readPending(store, name);
      if (change?.stage !== 'waiting') return [];
      const document = pendingDocument(change);
      const isFine = document.problem === null && document.secondsLeft > 0;
      return [check(title, isFine ? 'ok' : 'warning', pendingText(document))];
    } catch (error) {
      if (!(error instanceof NetkitError) || error.code !== 'bad-state') throw error;
      return [check(title, 'warning', error.message, error.hint)];
    }
  });
}
