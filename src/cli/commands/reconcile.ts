import { parseDuration } from '../../base/duration.js';
import { NetkitError } from '../../base/errors.js';
import { type Reconciled, type ReconcileRequest, reconcile } from '../../cnf/declared/reconcile.js';
import { watchInterfaces } from '../../cnf/declared/watching.js';
import { functionKinds } from '../../functions/index.js';
import { notifyServiceManager } from '../../host/notify-service.js';
import type { Command, CommandContext } from '../context.js';
import { fillApplied, fillPlan, isPending, planDocument } from '../declared.js';
import { environmentOf } from '../environment.js';
import type { Page } from '../page.js';
import type { DocumentOf } from '../schema/index.js';

type Context = CommandContext<'reconcile'>;
type Document = DocumentOf<'reconcile'>;

export const run: Command<'reconcile'> = async (context, { name: names }, options) => {
  const { allowGap } = options;
  const request = { ...environmentOf(context), kinds: functionKinds, allowGap, onlyAppeared: false } as const;
  if (options.watch) return watch(context, request, names, options.saveEvery);
  const result = await reconcile(request, names);
  const document = documentOf(context, result);
  context.output.done(document, (page) => {
    if (context.options.dryRun) fillPlan(page, document, planOf(result));
    else fillApplied(page, { ...document, health: [] }, planOf(result));
    fillRestored(page, document);
  });
  for (const { function: name, error } of result.problems) {
    context.output.warn(`${name} is not as it was declared: ${error.message}`);
    if (error.hint !== undefined) context.output.note(error.hint);
  }
  const statuses = result.problems.map(({ error }) => (error.code === 'not-found' ? 3 : 1));
  // What failed says more than what is only not there.
  return statuses.includes(1) ? 1 : statuses.length > 0 || isAnythingMissing(document) ? 3 : 0;
};

function fillRestored(page: Page, { restored, dryRun }: Document): void {
  for (const name of restored)
    page.line(`${dryRun ? 'would bring back' : 'brought back'} ${name}, with empty maps`);
}

/** A pattern may stand for nothing; an interface that was named is missed. */
function isAnythingMissing({ functions }: Document): boolean {
  return functions.some(({ waiting }) =>
    waiting.some(({ target }) => target === null || !/[*?[]/.test(target)),
  );
}

async function watch(
  context: Context,
  request: ReconcileRequest,
  names: readonly string[],
  saveEvery: string,
): Promise<number> {
  const { output, signal } = context;
  const saveEveryMs = parseDuration(saveEvery);
  if (saveEveryMs === undefined || saveEveryMs < 1000)
    throw new NetkitError('usage', `--save-every '${saveEvery}' is no duration of a second or more`);
  if (names.length > 0 || context.options.dryRun)
    throw new NetkitError('usage', '--watch follows all functions, and does what is to be done');
  await watchInterfaces({
    ...request,
    signal,
    saveEveryMs,
    onReady() {
      notifyServiceManager('READY=1\nSTATUS=following interfaces');
      output.note('following interfaces');
    },
    onPass(result) {
      const document = documentOf(context, result);
      if (!isPending(document) && document.restored.length === 0) return;
      output.record(document, (page) => {
        if (isPending(document)) fillApplied(page, { ...document, health: [] }, planOf(result));
        fillRestored(page, document);
      });
    },
    onSaved: (saved) => {
      for (const { function: name, map, entries } of saved)
        output.debug(`saved ${name}/${map}: ${entries} entries`);
    },
    onProblem: ({ message }, name) => output.warn(name === undefined ? message : `${name}: ${message}`),
  });
  notifyServiceManager('STOPPING=1');
  return 130;
}

function planOf({ functions }: Reconciled) {
  return { functions, chains: [], removed: [], left: [] };
}

function documentOf(context: Context, result: Reconciled): Document {
  return {
    ...planDocument(planOf(result)),
    restored: [...result.restored],
    problems: [...result.problems].map(({ function: name, error }) => ({
      function: name,
      code: error.code,
      message: error.message,
    })),
    dryRun: context.options.dryRun,
  };
}
