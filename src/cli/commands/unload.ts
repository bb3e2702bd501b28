import { NetkitError } from '../../base/errors.js';
import type { Action } from '../../cnf/action.js';
import { planUnload } from '../../cnf/detach-function.js';
import { change } from '../../cnf/environment.js';
import { findFunction, listFunctions } from '../../cnf/inventory.js';
import { sayReturn } from '../confirmation.js';
import type { Command } from '../context.js';
import { changeDocument, environmentOf, pinsOf, storeOf } from '../environment.js';

export const run: Command<'unload'> = async (context, { function: name }, { all, confirm }) => {
  const bpffs = pinsOf(context);
  const store = storeOf(context);
  if ((name === undefined) !== all) {
    throw new NetkitError(
      'usage',
      all ? '--all unloads every function: leave the name out' : 'unload needs a function, or --all',
    );
  }
  const names = name === undefined ? listFunctions(bpffs, store).map((listed) => listed.name) : [name];
  if (all && names.length > 0 && !context.options.dryRun)
    await context.output.ask(`unload ${names.join(', ')}`);
  const functions: { name: string; programs: number; maps: number; links: number }[] = [];
  const actions: Action[] = [];
  let returnsAt: string | undefined;
  const failures: NetkitError[] = [];
  for (const each of names) {
    let counts = { programs: 0, maps: 0, links: 0 };
    try {
      const outcome = await change({ ...environmentOf(context, confirm), despiteJournal: true }, (world) => {
        const proposal = planUnload(world, each);
        if (context.options.json) counts = countsOf(world.bpffs, each);
        return proposal;
      });
      actions.push(...outcome.actions);
      returnsAt ??= outcome.returnsAt;
      functions.push({ name: each, ...counts });
    } catch (error) {
      if (!(error instanceof NetkitError)) throw error;
      if (context.options.ifExists && error.code === 'not-found') continue;
      if (!all || error.code === 'interrupted') throw error;
      // The others go all the same.
      failures.push(error);
      context.output.warn(`${each} was not unloaded: ${error.message}`);
    }
  }
  const document = { functions, returnsAt: returnsAt ?? null, ...changeDocument(context, actions) };
  context.output.done(document, (page) => {
    if (context.options.dryRun) for (const { about } of document.actions) page.line(`would ${about}`);
    else if (functions.length + failures.length === 0) page.line('nothing to unload');
    else for (const done of functions) page.line(`unloaded ${done.name}`);
    sayReturn(page, returnsAt, name);
  });
  return failures[0]?.exitStatus ?? 0;

  function countsOf(root: string, functionName: string): { programs: number; maps: number; links: number } {
    const listed = findFunction(root, store, functionName);
    return {
      programs: listed?.programs.length ?? 0,
      maps: listed?.maps.length ?? 0,
      links: listed?.links.length ?? 0,
    };
  }
};
