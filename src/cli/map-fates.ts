/** What becomes of the maps of a function when another object takes its place, as `replace` and `apply` show it. */
import type { PlannedMap, TakenOver } from '../cnf/replace-function.js';
import type { Page } from './page.js';
import type { DocumentOf } from './schema/index.js';

export type MapFateInfo = DocumentOf<'replace'>['maps'][number];

/** @param taken what was taken over, by map; empty before anything was */
export function mapFates(maps: readonly PlannedMap[], taken: ReadonlyMap<string, TakenOver>): MapFateInfo[] {
  return maps.map(({ name, type, fate, reason }) => {
    const counts = taken.get(name);
    const migrated = fate === 'migrated' ? counts : undefined;
    return {
      name,
      type,
      fate,
      reason,
      entries: counts?.entries ?? null,
      carried: migrated?.carried ?? null,
      mayBeLost: migrated?.mayBeLost ?? null,
    };
  });
}

/** A line for each map that is not simply new. */
export function sayMapFates(page: Page, maps: readonly MapFateInfo[], isDryRun: boolean): void {
  const would = isDryRun ? 'would be ' : '';
  for (const { name, fate, reason, entries, carried, mayBeLost } of maps) {
    // What a new program is compiled with is nobody's data.
    if (fate === 'new' && (reason === null || /\.(rodata|kconfig)/.test(name))) continue;
    const counts = [
      ...(entries === null ? [] : [`${entries} ${entries === 1 ? 'entry' : 'entries'}`]),
      ...(carried === null || carried === 0 ? [] : [`${carried} more carried over after the swap`]),
      ...(mayBeLost === null || mayBeLost === 0
        ? []
        : [`${mayBeLost} changed by both programs: what the old one wrote last is lost`]),
    ];
    const why = reason === null ? '' : ` (${reason})`;
    page.line(`map ${name}: ${would}${fate}${why}${counts.length === 0 ? '' : `: ${counts.join(', ')}`}`);
  }
}
