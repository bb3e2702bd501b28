import { type SavedMap, saveMaps } from '../../cnf/declared/kept.js';
import { declaredNames, declaredState } from '../../cnf/declared/named.js';
import { bootId } from '../../host/kernel.js';
import type { Command } from '../context.js';
import { environmentOf, storeOf } from '../environment.js';

export const run: Command<'snapshot'> = async (context, { name: names }) => {
  const store = storeOf(context);
  const functions = names.length > 0 ? names : declaredNames(store).functions;
  for (const name of functions) {
    if (declaredState(store, name).bootId !== bootId())
      context.output.note(
        `${name} has not been brought back since the last boot: what was saved of it stays`,
      );
  }
  const saved: SavedMap[] = [];
  for (const name of functions) saved.push(...(await saveMaps(environmentOf(context), name)));
  context.output.done({ saved: saved.map((each) => ({ ...each })) }, (page) => {
    if (saved.length === 0) page.line('no map is to be kept');
    for (const { function: name, map, entries, bytes } of saved)
      page.line(`saved ${name}/${map}: ${entries === 1 ? '1 entry' : `${entries} entries`}, ${bytes} bytes`);
  });
};
