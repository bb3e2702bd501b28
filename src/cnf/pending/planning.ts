/** Plans that wait for a confirmation, and plans that have to wait because of them. */
import { describeDuration } from '../../base/duration.js';
import { NetkitError } from '../../base/errors.js';
import { exists } from '../../host/folders.js';
import type { Action, Plan } from '../action.js';
import { asideFolder } from '../layout.js';
import { reversible } from '../reversible.js';
import type { StateStore } from '../store.js';
import {
  functionsOf,
  type PendingChange,
  readablePending,
  readPending,
  timeLeft,
  type Unconfirmed,
} from './record.js';

/** A plan that is made at once and taken back unless it is confirmed. */
export interface AwaitingPlan {
  readonly plan: Plan;
  readonly unconfirmed: Unconfirmed;
}

/** @throws NetkitError `conflict` for a plan that could not be taken back */
export function awaiting(plan: Plan, forMs: number, store: StateStore): AwaitingPlan {
  if (
    plan.actions.some((action) => action.kind === 'record' && action.before === null && action.after === null)
  ) {
    throw new NetkitError(
      'conflict',
      `the state of '${plan.function}' is missing or damaged: what is removed by its pins alone cannot be taken back`,
      { hint: 'leave --confirm out' },
    );
  }
  const taken = new Set<string>();
  const freeNumber = (folder: string): number => {
    for (let number = 1; ; number++) {
      const to = asideFolder(folder, plan.function, number);
      if (exists(to) || taken.has(to)) continue;
      taken.add(to);
      return number;
    }
  };
  const split = plan.actions.map((action) => reversible(action, store, freeNumber));
  const actions = split.flatMap(({ now }) => now);
  const finish = split.flatMap(({ later }) => later);
  const wait: Action = { kind: 'await-confirmation', function: plan.function, forMs };
  // A plan is taken back up to its record, and finished from there on: there it has to be written down already.
  const record = actions.findIndex((action) => action.kind === 'record' && action.function === plan.function);
  return {
    plan: { ...plan, actions: [...actions.slice(0, record), wait, ...actions.slice(record)] },
    unconfirmed: { plan: { ...plan, actions }, finish },
  };
}

/**
 * Refuses a change of what another change waits with, whose return would meet what it does not know.
 * @throws NetkitError `conflict`, `bad-state`
 */
export function refuseBeside(
  actions: readonly Action[],
  store: StateStore,
  {
    goesByPins,
    dryRun,
  }: {
    /** What has failed to be taken back, or cannot be read, is no obstacle. */
    readonly goesByPins: boolean;
    /** What is overdue would be taken back first. */
    readonly dryRun: boolean;
  },
): void {
  const names = new Set(actions.map((action) => action.function));
  if (!goesByPins) for (const name of names) readPending(store, name);
  for (const change of readablePending(store)) {
    const shared = [...functionsOf(change)].find((name) => names.has(name));
    if (shared === undefined || change.stage !== 'waiting') continue;
    if (change.problem === null) {
      if (!dryRun || timeLeft(change) > 0) throw waits(change, shared);
    } else if (!goesByPins) throw stuck(change);
  }
}

function waits(change: PendingChange, shared: string): NetkitError {
  const { function: name, command } = change.plan;
  return new NetkitError(
    'conflict',
    change.settling === null
      ? `'${command}' waits for its confirmation: '${shared}' cannot be changed before`
      : `'${command}' is being watched: '${shared}' cannot be changed before it is known whether all is well`,
    {
      hint: `'netkit confirm ${name}' keeps it; without that it is taken back in ${describeDuration(Math.ceil(timeLeft(change) / 1000) * 1000)}`,
      details: { function: name, command, returnsAt: change.deadline.at },
    },
  );
}

function stuck({ plan, problem }: PendingChange): NetkitError {
  return new NetkitError('conflict', problem ?? `'${plan.command}' could not be taken back`, {
    hint: `when the cause is mended, 'netkit recover' takes back the rest; 'netkit unload ${plan.function}' removes the function`,
    details: { function: plan.function, command: plan.command },
  });
}
