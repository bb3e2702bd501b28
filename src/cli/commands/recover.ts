import { NetkitError } from '../../base/errors.js';
import type { Action } from '../../cnf/action.js';
import { change, recoverLeft } from '../../cnf/environment.js';
import { readablePending } from '../../cnf/pending/record.js';
import { awaitsRestore, planRestore } from '../../cnf/restore-function.js';
import { bootId } from '../../host/kernel.js';
import { pendingDocument, pendingText, returnedDocument, returnedText } from '../confirmation.js';
import type { Command } from '../context.js';
import { changeDocument, environmentOf, storeOf } from '../environment.js';

export const run: Command<'recover'> = async (context) => {
  const { recovery, settled } = await recoverLeft({ ...environmentOf(context), note: () => undefined });
  const late = settled.returned.map(returnedDocument);
  const commands = recovery === undefined ? [] : [recovery];
  const restored: string[] = [];
  const actions: Action[] = [];
  const failures = new Map<string, NetkitError>();
  const store = storeOf(context);
  // One function may reuse a map of another: what failed is tried again while others come back.
  for (let left = store.names(), before = -1; left.length > 0 && left.length !== before; ) {
    before = left.length;
    failures.clear();
    for (const name of left) await restore(name);
    left = [...failures.keys()];
  }
  for (const [name, error] of failures) context.output.warn(`${name} was not brought back: ${error.message}`);
  const { dryRun } = context.options;
  const isLate = new Set(late.map((change) => change.function));
  const pending = readablePending(store)
    .filter(({ stage, plan }) => stage === 'waiting' && !isLate.has(plan.function))
    .map(pendingDocument);
  // What kept them from being taken back could not be written down either: a full disk, say.
  const unsaid = settled.problems.filter(({ function: name }) =>
    pending.some((each) => each.function === name && each.problem === null),
  );
  const document = { commands, returned: late, pending, restored, ...changeDocument(context, actions) };
  context.output.done(document, (page) => {
    const found = commands.length + late.length + pending.length + restored.length;
    if (found === 0 && failures.size === 0) page.line('nothing to recover');
    for (const each of late) page.line(returnedText(each));
    for (const each of pending) page.line(pendingText(each));
    for (const { command, outcome } of commands) {
      page.line(`'${command}' had been killed: ${dryRun ? 'it would be ' : ''}${outcome}`);
    }
    for (const name of restored)
      page.line(`${dryRun ? 'would bring' : 'brought'} back ${name}, with empty maps`);
  });
  const declared = store.names().filter((name) => {
    const state = store.peek(name);
    return state?.declared !== undefined && state.bootId !== bootId();
  });
  if (declared.length > 0)
    context.output.warn(`manifests declare ${declared.join(', ')}: 'netkit reconcile' brings that back`);
  for (const { function: name, message } of unsaid)
    context.output.warn(`the change to ${name} was not taken back: ${message}`);
  const isStuck = unsaid.length > 0 || pending.some(({ problem }) => problem !== null);
  return [...failures.values()][0]?.exitStatus ?? (isStuck ? 5 : 0);

  async function restore(name: string): Promise<void> {
    try {
      const outcome = await change(environmentOf(context), async (world) => {
        const state = world.store.read(name);
        return state === undefined || !awaitsRestore(state, bootId()) ? undefined : planRestore(world, state);
      });
      if (outcome.actions.length === 0) return;
      actions.push(...outcome.actions);
      restored.push(name);
    } catch (error) {
      // The others come back all the same.
      if (!(error instanceof NetkitError) || error.code === 'interrupted') throw error;
      failures.set(name, error);
    }
  }
};
