import { basename } from 'node:path';
import { listFunctions } from '../../cnf/inventory.js';
import { readablePending } from '../../cnf/pending/record.js';
import { pendingDocument, pendingText } from '../confirmation.js';
import type { Command } from '../context.js';
import { functionDocument } from '../describe.js';
import { pinsOf, storeOf } from '../environment.js';
import { someNames } from '../fit.js';
import type { OutputStream } from '../io.js';
import { selected } from '../selection.js';
import { targetText } from '../tables.js';

export const run: Command<'list'> = async (context, { function: name }) => {
  const listed = listFunctions(pinsOf(context), storeOf(context));
  const functions = selected(listed, name, false, context).map(functionDocument);
  for (const { problem } of listed) if (problem !== undefined) context.output.warn(problem);
  const pending = readablePending(storeOf(context))
    .filter(({ stage, plan }) => stage === 'waiting' && (name === undefined || plan.function === name))
    .map(pendingDocument);
  context.output.result({ functions, pending }, (page) => {
    if (functions.length === 0) page.line('no function is loaded');
    page.table(
      [
        'FUNCTION',
        'PROGRAMS',
        'MAPS',
        { title: 'ATTACHED TO', mayCut: true },
        { title: 'OBJECT', mayCut: true },
      ],
      rowsOf(functions, context.io.stdout),
    );
    for (const each of pending) page.line(pendingText(each));
  });
};

/** On a terminal a row is to stay one line; elsewhere names are whole. */
function rowsOf(
  functions: readonly ReturnType<typeof functionDocument>[],
  { isTTY, columns }: OutputStream,
): string[][] {
  const rows = functions.map((each) => ({
    name: each.name,
    programs: each.programs.map(({ id, name }) => (id === null ? `${name} (not there)` : name)),
    maps: each.maps.map(({ name }) => name),
    places: each.links.map(targetText),
    object: each.object ?? '-',
  }));
  if (!isTTY || !columns) {
    return rows.map(({ name, programs, maps, places, object }) => [
      name,
      programs.join(', '),
      maps.join(', '),
      places.join(', ') || 'nothing',
      object,
    ]);
  }
  const third = Math.floor(columns / 3);
  const short = rows.map((row) => ({
    ...row,
    places: someNames(row.places, 'places', third) || 'nothing',
    object: row.object.length > third ? `…/${basename(row.object)}` : row.object,
  }));
  const widest = (texts: readonly string[]): number => Math.max(...texts.map(({ length }) => length));
  const others = [
    widest(['FUNCTION', ...short.map(({ name }) => name)]),
    widest(['ATTACHED TO', ...short.map(({ places }) => places)]),
    widest(['OBJECT', ...short.map(({ object }) => object)]),
  ].reduce((sum, width) => sum + width, 0);
  const left = Math.max(0, columns - others - 4 * 2);
  const programs = short.map((row) => someNames(row.programs, 'programs', Math.floor(left / 2)));
  const leftForMaps = left - widest(['PROGRAMS', ...programs]);
  return short.map(({ name, maps, places, object }, index) => [
    name,
    programs[index] ?? '',
    someNames(maps, 'maps', leftForMaps),
    places,
    object,
  ]);
}
