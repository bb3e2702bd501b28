import { listFunctions } from '../../cnf/inventory.js';
import { listAllLinks } from '../../cnf/listed-link.js';
import type { Command } from '../context.js';
import { linkDocument } from '../describe.js';
import { pinsOf, storeOf } from '../environment.js';
import { selected } from '../selection.js';
import { linkTable } from '../tables.js';

export const run: Command<'link list'> = async (context, { function: name }, { all }) => {
  const functions = selected(listFunctions(pinsOf(context), storeOf(context)), name, all, context);
  const listed = all ? listAllLinks(functions) : functions.flatMap(({ links }) => links);
  const links = listed.map(linkDocument);
  context.output.result({ links }, (page) => {
    if (links.length === 0) page.line('no links');
    linkTable(page, links);
  });
};
