/** From a command's context to what `cnf` works with. */
import { type Action, describeAction } from '../cnf/action.js';
import type { EnvironmentOptions } from '../cnf/environment.js';
import { StateStore } from '../cnf/store.js';
import { visibleBpffs } from '../host/mounts.js';
import { confirmWithin } from './confirmation.js';
import type { CommandContext } from './context.js';
import type { ChangeAction } from './schema/index.js';

/** What `change` needs to know of this command. @param confirm the value of `--confirm`. @throws NetkitError `usage` */
export function environmentOf(context: CommandContext, confirm?: string): EnvironmentOptions {
  const { command, options, output, paths, session, signal } = context;
  return {
    bpffs: paths.bpffsGiven ? paths.bpffs : undefined,
    stateDir: paths.stateDir,
    lockTimeoutMs: options.lockTimeout * 1000,
    command,
    dryRun: options.dryRun,
    signal,
    confirmWithinMs: confirmWithin(confirm),
    session,
    note: (text) => output.note(text),
  };
}

/** Where a command that only reads looks for pins. @throws NetkitError `usage`, `not-permitted` */
export function pinsOf({ paths }: CommandContext): string {
  return visibleBpffs(paths.bpffsGiven ? paths.bpffs : undefined);
}

export function storeOf(context: CommandContext): StateStore {
  return new StateStore(context.paths.stateDir);
}

/** The part of a document that every changing command has. */
export function changeDocument(
  context: CommandContext,
  actions: readonly Action[],
): { dryRun: boolean; actions: ChangeAction[] } {
  return {
    dryRun: context.options.dryRun,
    actions: actions.map((action) => ({ kind: action.kind, about: describeAction(action) })),
  };
}
