import { counted } from '../../base/counted.js';
import { NetkitError } from '../../base/errors.js';
import { change } from '../../cnf/environment.js';
import { findFunction } from '../../cnf/inventory.js';
import { chooseObject, type LoadRequest, planLoad } from '../../cnf/load-function.js';
import type { FunctionState } from '../../cnf/state.js';
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
    only: options.only.length === 0 ? null : options.only,
    replace: options.replace,
    persist: options.persist,
  };
  const spec = await chooseObject(request);
  let planned: FunctionState | undefined;
  let replaced = false;
  const outcome = await change(environmentOf(context), (world) => {
    const proposal = planLoad(world, spec, request);
    for (const action of proposal.actions) {
      if (action.kind !== 'record' || action.after === null) continue;
      planned = action.after;
      replaced = action.before !== null;
    }
    return proposal;
  });
  if (planned === undefined) throw new TypeError('a load without a record');
  const loaded = context.options.dryRun
    ? undefined
    : findFunction(planned.bpffs, storeOf(context), planned.name);
  const document = {
    function: loaded === undefined ? plannedFunctionDocument(planned) : functionDocument(loaded),
    replaced,
    ...changeDocument(context, outcome.actions),
  };
  context.output.done(document, (page) => {
    if (context.options.dryRun) for (const { about } of document.actions) page.line(`would ${about}`);
    else
      page.line(
        `${replaced ? 'replaced' : 'loaded'} ${document.function.name}: ${counts(document.function)}`,
      );
  });
};

function counts(loaded: {
  readonly programs: readonly unknown[];
  readonly maps: readonly unknown[];
}): string {
  return `${counted(loaded.programs.length, 'program')}, ${counted(loaded.maps.length, 'map')}`;
}

/** `NAME=TEXT` options as a record; what stands after the first `=` is left as it is. */
function assignments(texts: readonly string[], option: string, form: string): Record<string, string> {
  // Without a prototype: a variable may be called __proto__.
  const all: Record<string, string> = Object.create(null);
  for (const text of texts) {
    const at = text.indexOf('=');
    if (at <= 0) throw new NetkitError('usage', `${option} '${text}' is not ${form}`);
    all[text.slice(0, at)] = text.slice(at + 1);
  }
  return all;
}

function sizes(texts: readonly string[]): Record<string, number> {
  const given = Object.entries(assignments(texts, '--map-size', 'MAP=N'));
  return Object.fromEntries(
    given.map(([map, text]) => {
      if (!/^[1-9]\d*$/.test(text))
        throw new NetkitError(
          'bad-value',
          `the size of map '${map}' is not a whole number above 0: '${text}'`,
        );
      return [map, Number(text)];
    }),
  );
}
