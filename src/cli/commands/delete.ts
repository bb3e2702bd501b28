import { NetkitError } from '../../base/errors.js';
import { applyPlan, foresee } from '../../cnf/declared/apply-manifest.js';
import { declaredNames, leavingOf } from '../../cnf/declared/named.js';
import { type Leaving, planManifest } from '../../cnf/declared/plan-manifest.js';
import type { Planning } from '../../cnf/declared/planning.js';
import { recoverFirst } from '../../cnf/environment.js';
import { readManifests } from '../../cnf/manifest/read.js';
import type { StateStore } from '../../cnf/store.js';
import { functionKinds } from '../../functions/index.js';
import { sayReturn } from '../confirmation.js';
import type { Command, CommandContext } from '../context.js';
import { environmentOf, storeOf } from '../environment.js';

const nothing = { functions: [], chains: [], manifests: [] };

export const run: Command<'delete'> = async (context, { name: names }, { file, confirm }) => {
  const { output } = context;
  const { dryRun } = context.options;
  const leaving = await wanted(context, names, file);
  const environment = environmentOf(context, confirm);
  // What a killed command removed in part is there again, or gone.
  await recoverFirst(environment);
  let { functions, chains } = leaving(storeOf(context));
  const all = [...functions, ...chains];
  if (all.length > 0 && !dryRun) await output.ask(`remove ${all.join(', ')}`);
  const planner = (planning: Planning) => {
    const found = leaving(planning.store);
    ({ functions, chains } = found);
    return planManifest(planning, nothing, { leaving: found, takeOver: true, kinds: functionKinds });
  };
  let returnsAt: string | undefined;
  let confirmedBy: string | undefined;
  if (dryRun) await foresee(environment, planner);
  else if (all.length > 0)
    ({ returnsAt, confirmedBy } = await applyPlan({ ...environment, keep: 1, allowGap: false }, planner));
  const document = {
    functions: [...functions],
    chains: [...chains],
    dryRun,
    returnsAt: returnsAt ?? null,
  };
  output.done(document, (page) => {
    const word = dryRun ? 'would remove' : 'removed';
    for (const each of chains) page.line(`${word} the chain ${each}`);
    for (const each of functions) page.line(`${word} ${each}`);
    if (functions.length + chains.length === 0) page.line('nothing to remove');
    sayReturn(page, returnsAt, confirmedBy);
  });
};

/** What is named, by name or by the documents of manifests. With `--if-exists` what is not there counts as removed. */
async function wanted(
  context: CommandContext,
  names: readonly string[],
  files: readonly string[],
): Promise<(store: StateStore) => Leaving> {
  if (names.length === 0 && files.length === 0)
    throw new NetkitError('usage', 'delete needs names, or -f FILE');
  const { ifExists } = context.options;
  if (files.length === 0) return (store) => leavingOf(store, ifExists ? known(store, names) : names);
  const { documents } = await readManifests(files, { stdin: context.io.stdin });
  const declared = documents.map(({ document }) => document.metadata.name);
  const missing = names.find((name) => !declared.includes(name));
  if (missing !== undefined)
    throw new NetkitError('not-found', `no document of ${files.join(', ')} is called '${missing}'`);
  // What a manifest declares need not have been applied.
  return (store) => leavingOf(store, known(store, names.length === 0 ? declared : names));
}

function known(store: StateStore, names: readonly string[]): string[] {
  const { functions, chains } = declaredNames(store);
  const there = new Set([...functions, ...chains]);
  return [...new Set(names)].filter((name) => there.has(name));
}
