import { listAllMaps, listFunctions } from '../../cnf/inventory.js';
import type { Command } from '../context.js';
import { mapDocument } from '../describe.js';
import { pinsOf, storeOf } from '../environment.js';
import { selected } from '../selection.js';
import { mapTable } from '../tables.js';

export const run: Command<'map list'> = async (context, { function: name }, { all }) => {
  const functions = selected(listFunctions(pinsOf(context), storeOf(context)), name, all, context);
  const listed = all ? listAllMaps(functions) : functions.flatMap(({ maps }) => maps);
  const maps = listed.map(mapDocument);
  context.output.result({ maps }, (page) => {
    if (maps.length === 0) page.line('no maps');
    mapTable(page, maps);
  });
};
