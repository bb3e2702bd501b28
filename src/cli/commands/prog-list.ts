import { listAllPrograms, listFunctions } from '../../cnf/inventory.js';
import type { Command } from '../context.js';
import { programDocument } from '../describe.js';
import { pinsOf, storeOf } from '../environment.js';
import { selected } from '../selection.js';
import { programTable } from '../tables.js';

export const run: Command<'prog list'> = async (context, { function: name }, { all }) => {
  const functions = selected(listFunctions(pinsOf(context), storeOf(context)), name, all, context);
  const listed = all
    ? listAllPrograms(functions)
    : functions.flatMap(({ programs, members }) => [...programs, ...members]);
  const programs = listed.map(programDocument);
  context.output.result({ programs }, (page) => {
    if (programs.length === 0) page.line('no programs');
    programTable(page, programs);
  });
};
