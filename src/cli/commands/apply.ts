import { orphansOf, planManifest } from '../../cnf/declared/plan-manifest.js';
import type { Planning } from '../../cnf/declared/planning.js';
import { functionKinds } from '../../functions/index.js';
import type { Command } from '../context.js';
import { applyDeclared, readDesires } from '../declared.js';
import { storeOf } from '../environment.js';

export const run: Command<'apply'> = async (context, { name: names }, options) => {
  const { file, prune, takeOver } = options;
  const desires = await readDesires(context, names, file);
  if (prune && !context.options.dryRun) {
    const { functions, chains } = orphansOf(desires, storeOf(context));
    const gone = [...functions, ...chains];
    if (gone.length > 0) await context.output.ask(`remove ${gone.join(', ')}`);
  }
  const planner = (planning: Planning) =>
    planManifest(planning, desires, { prune, takeOver, kinds: functionKinds });
  await applyDeclared(context, { ...options, planner }, {});
};
