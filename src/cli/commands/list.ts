import { listFunctions } from '../../cnf/inventory.js';
import type { Command } from '../context.js';
import { functionDocument } from '../describe.js';
import { pinsOf, storeOf } from '../environment.js';
import { selected } from '../selection.js';
import { targetText } from '../tables.js';

export const run: Command<'list'> = async (context, { function: name }) => {
  const listed = listFunctions(pinsOf(context), storeOf(context));
  const functions = selected(listed, name, false, context).map(functionDocument);
  for (const { problem } of listed) if (problem !== undefined) context.output.warn(problem);
  context.output.result({ functions }, (page) => {
    if (functions.length === 0) page.line('no function is loaded');
    page.table(
      ['FUNCTION', 'PROGRAMS', 'MAPS', 'ATTACHED TO', 'OBJECT'],
      functions.map(({ name, programs, maps, links, object }) => [
        name,
        programs
          .map((program) => (program.id === null ? `${program.name} (not there)` : program.name))
          .join(', '),
        maps.map((map) => map.name).join(', '),
        links.map(targetText).join(', ') || 'nothing',
        object,
      ]),
    );
  });
};
