/** What `map import` and `map copy` share: writing, replacing, or showing what would be done. */
import { diffEntries } from '../ebpf/entries/diff.js';
import { type ImportOptions, importEntries } from '../ebpf/entries/import.js';
import { refuseKeyless, replaceEntries } from '../ebpf/entries/replace.js';
import type { EntrySource } from '../ebpf/entries/source.js';
import { refuseUnremovable } from '../ebpf/entries/target.js';
import type { BpfMap } from '../ebpf/map.js';
import type { CommandContext } from './context.js';
import { DifferenceList } from './difference-list.js';
import { pinsOf } from './environment.js';
import type { Page } from './page.js';
import type { ChangeAction } from './schema/index.js';

export interface ChangeOptions {
  readonly replace: boolean;
  readonly atomic: boolean;
  readonly lock: boolean;
}

/** What the documents of both commands have in common. */
export interface ChangeReport {
  readonly entries: number;
  readonly written: number;
  readonly same: number | null;
  readonly removed: number | null;
  readonly dryRun: boolean;
  readonly actions: ChangeAction[];
  readonly differences: null;
}

/** Writes the entries of `source`. @param reference how the map is called in what is said */
export async function changeEntries(
  context: CommandContext,
  map: BpfMap,
  source: EntrySource,
  reference: string,
  options: ChangeOptions,
): Promise<ChangeReport> {
  const { output, signal } = context;
  const { replace, ...rest } = options;
  const counts = await output.counting(`writing ${reference}`, 'entries', async (onWritten) => {
    const settings = { ...rest, ...(await rememberedBy(context, map, reference)), signal, onWritten };
    if (replace) return replaceEntries(map, source, settings);
    const { entries } = await importEntries(map, source, settings);
    return { entries, written: entries, same: null, removed: null };
  });
  return { ...counts, dryRun: false, actions: actionsOf(counts, reference), differences: null };
}

/** In a batch that is made all or none, old entries are written down first. */
async function rememberedBy(
  context: CommandContext,
  map: BpfMap,
  reference: string,
): Promise<Pick<ImportOptions, 'around'>> {
  const transaction = context.session?.transaction;
  if (transaction === undefined) return {};
  const { EntryMemory } = await import('./batch/entry-memory.js');
  const { RememberingTarget } = await import('./batch/remembering-target.js');
  const memory = new EntryMemory(transaction, pinsOf(context));
  return { around: (target) => new RememberingTarget(target, { map, reference, shape: map.shape }, memory) };
}

/** A line on what was done. */
export function sayChanges(
  page: Page,
  { written, same, removed }: ChangeReport,
  reference: string,
  from: string,
): void {
  if (same === null) page.line(`${entriesText(written)} of ${from} written to ${reference}`);
  else
    page.line(`${reference} equals ${from}: ${written} written, ${removed ?? 0} removed, ${same} the same`);
}

/** Prints every change that `changeEntries` would make, and how many they are. @param head what the document begins with */
export async function showChanges(
  context: CommandContext,
  map: BpfMap,
  source: EntrySource,
  reference: string,
  replace: boolean,
  head: object,
): Promise<void> {
  const { options, output, signal } = context;
  if (replace) {
    refuseKeyless(map);
    refuseUnremovable(map);
  }
  using list = new DifferenceList(context, map.shape, map.perCpu, head);
  const found = diffEntries(map, source, { signal, removals: replace });
  const counts = await list.writeAll(found);
  if (counts === undefined) return;
  const { entries, added, changed, removed: stale, same } = counts;
  const written = added + changed;
  const removed = replace ? stale : null;
  const actions = actionsOf({ written, removed }, reference);
  await list.end({ entries, written, same, removed, dryRun: true, actions });
  if (!options.json)
    output.note(
      `would write ${entriesText(written)}${removed === null ? '' : ` and remove ${removed}`}; ${same} ${same === 1 ? 'is' : 'are'} there already`,
    );
}

function actionsOf(
  { written, removed }: { readonly written: number; readonly removed: number | null },
  reference: string,
): ChangeAction[] {
  return [
    ...(written === 0 ? [] : [{ kind: 'update', about: `write ${entriesText(written)} into ${reference}` }]),
    ...(removed === null || removed === 0
      ? []
      : [{ kind: 'delete', about: `remove ${entriesText(removed)} from ${reference}` }]),
  ];
}

function entriesText(count: number): string {
  return `${count} ${count === 1 ? 'entry' : 'entries'}`;
}
