import { foresee } from '../../cnf/declared/apply-manifest.js';
import { planManifest } from '../../cnf/declared/plan-manifest.js';
import { functionKinds } from '../../functions/index.js';
import type { Command } from '../context.js';
import { fillPlan, isPending, planDocument, readDesires } from '../declared.js';
import { environmentOf } from '../environment.js';

export const run: Command<'plan'> = async (context, { name: names }, { file, prune, takeOver }) => {
  const desires = await readDesires(context, names, file);
  const plan = await foresee(environmentOf(context), (planning) =>
    planManifest(planning, desires, { prune, takeOver, kinds: functionKinds }),
  );
  const document = planDocument(plan);
  const pending = isPending(document);
  context.output.result({ ...document, pending }, (page) => fillPlan(page, document, plan));
  return pending ? 8 : 0;
};
