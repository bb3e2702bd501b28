import { counted } from '../../base/counted.js';
import { NetkitError } from '../../base/errors.js';
import { change } from '../../cnf/environment.js';
import { findFunction } from '../../cnf/inventory.js';
import { chooseObject, type LoadRequest, planLoad } from '../../cnf/load-function.js';
import type { FunctionState } from '../../cnf/state.js';
import { assignments, sizes } from '../assignments.js';
import { sayReturn } from '../confirmation.js';
import type { Command } from '../context.js';
import { functionDocument, plannedFunctionDocument } from '../describe.js';
import { changeDocument, environmentOf, storeOf } from '../environment.js';
import { objectFile } from '../object-file.js';

export const run: Command<'load'> = async (context, { object }, options) => {
  const request: LoadRequest = {
    object: objectFile(object),
    name: options.name,
    globals: assignments(options.set, '--set', 'VAR=VALUE'),
    mapSizes: sizes(options.mapSize),
    reuse: assignments(options.reuse, '--reuse', 'MAP=REF'),
    targets:
      options.target.length === 0 ? undefined : assignments(options.target, '--target', 'PROGRAM=FUNCTION'),
    only: options.only.length === 0 ? null : options.only,
    replace: options.replace,
    allowGap: options.allowGap,
    persist: options.persist,
  };
  if (options.confirm !== undefined && !options.replace) {
    throw new NetkitError(
      'usage',
      'a load changes no traffic unless it replaces a function: --confirm has nothing to take back',
      {
        hint: 'leave --confirm out, or give it to the attach that follows',
      },
    );
  }
  const spec = await chooseObject(request);
  let planned: FunctionState | undefined;
  let replaced = false;
  const outcome = await change(environmentOf(context, options.confirm), (world) => {
    const proposal = planLoad(world, spec, request);
    for (const action of proposal.actions) {
      if (action.kind !== 'record' || action.after === null) continue;
      planned = action.after;
      replaced = action.before !== null;
    }
    return proposal;
  });
  if (planned === undefined) throw new TypeError('a load without a record');
  const recorded = planned;
  const changed = changeDocument(context, outcome.actions);
  const document = () => {
    const loaded = changed.dryRun ? undefined : findFunction(recorded.bpffs, storeOf(context), recorded.name);
    return {
      function: loaded === undefined ? plannedFunctionDocument(recorded) : functionDocument(loaded),
      replaced,
      returnsAt: outcome.returnsAt ?? null,
      ...changed,
    };
  };
  context.output.done(document, (page) => {
    if (changed.dryRun) for (const { about } of changed.actions) page.line(`would ${about}`);
    else page.line(`${replaced ? 'replaced' : 'loaded'} ${recorded.name}: ${counts(recorded)}`);
    sayReturn(page, outcome.returnsAt, recorded.name);
  });
};

function counts(loaded: {
  readonly programs: readonly unknown[];
  readonly maps: readonly unknown[];
}): string {
  return `${counted(loaded.programs.length, 'program')}, ${counted(loaded.maps.length, 'map')}`;
}
