import { NetkitError } from '../../base/errors.js';
import { desireRollback } from '../../cnf/declared/named.js';
import { planManifest } from '../../cnf/declared/plan-manifest.js';
import type { Planning } from '../../cnf/declared/planning.js';
import { functionKinds } from '../../functions/index.js';
import type { Command } from '../context.js';
import { applyDeclared } from '../declared.js';

export const run: Command<'rollback'> = async (context, { name, generation }, options) => {
  const number = generation === undefined ? undefined : generationNumber(generation);
  // What is recorded is read under the lock: an upgrade may be under way.
  const planner = async (planning: Planning) => {
    const { store, signal } = planning;
    const desires = await desireRollback(name, number, { store, kinds: functionKinds, signal });
    return planManifest(planning, desires, { takeOver: true, kinds: functionKinds });
  };
  await applyDeclared(context, { ...options, settleMs: undefined, planner, watchesHealth: false }, {});
};

function generationNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new NetkitError('usage', `'${text}' is no number of a generation`, {
    hint: "'netkit status' shows them",
  });
}
