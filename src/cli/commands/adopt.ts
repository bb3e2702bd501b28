import { counted } from '../../base/counted.js';
import { NetkitError } from '../../base/errors.js';
import { type AdoptProposal, planAdopt } from '../../cnf/adopt-function.js';
import { change } from '../../cnf/environment.js';
import { describeTarget } from '../../cnf/hooks/index.js';
import { findFunction } from '../../cnf/inventory.js';
import type { Command } from '../context.js';
import { functionDocument, plannedFunctionDocument } from '../describe.js';
import { changeDocument, environmentOf, storeOf } from '../environment.js';

export const run: Command<'adopt'> = async (context, { reference }, { name, takePins }) => {
  if (name === undefined)
    throw new NetkitError('usage', 'adopt: the function needs a name', { hint: 'give it with --name NAME' });
  let proposal: AdoptProposal | undefined;
  const outcome = await change(environmentOf(context), (world) => {
    proposal = planAdopt(world, { reference, name, takePins });
    return proposal;
  });
  if (proposal === undefined) throw new TypeError('an adoption without a plan');
  const { state, programId, left } = proposal;
  const { dryRun } = context.options;
  const loaded = dryRun ? undefined : findFunction(state.bpffs, storeOf(context), name);
  const pins = proposal.pins.map(({ path }) => path);
  const document = {
    function: loaded === undefined ? plannedFunctionDocument(state) : functionDocument(loaded),
    programId,
    left: [...left],
    pins,
    ...changeDocument(context, outcome.actions),
  };
  context.output.done(document, (page) => {
    if (dryRun) {
      for (const { about } of document.actions) page.line(`would ${about}`);
      return;
    }
    const { programs, maps } = state;
    page.line(`adopted ${name}: ${counted(programs.length, 'program')}, ${counted(maps.length, 'map')}`);
    for (const link of state.links)
      page.line(`${name}/${link.program} is attached to ${describeTarget(link)}`);
  });
  for (const each of left) context.output.note(`not taken over: ${each}`);
  if (pins.length > 0 && !takePins)
    context.output.note(`the other tool's pins stay: ${pins.join(', ')} (--take-pins removes them)`);
};
