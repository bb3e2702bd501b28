import { parseDuration } from '../../base/duration.js';
import { NetkitError } from '../../base/errors.js';
import type { FunctionPlan } from '../../cnf/declared/plan-function.js';
import { type ManifestPlan, planManifest } from '../../cnf/declared/plan-manifest.js';
import type { Planning } from '../../cnf/declared/planning.js';
import { functionKinds } from '../../functions/index.js';
import type { Command } from '../context.js';
import { applyDeclared, readDesires } from '../declared.js';
import { ProgramTests } from '../program-tests.js';

export const run: Command<'upgrade'> = async (context, { name: names }, options) => {
  const { file, takeOver, test } = options;
  const settleMs = options.settle === undefined ? undefined : settleTime(options.settle);
  const tests = test === undefined ? undefined : ProgramTests.read(test);
  const desires = await readDesires(context, names, file);
  const planner = async (planning: Planning) => {
    const plan = await planManifest(planning, desires, { takeOver, kinds: functionKinds });
    refuseNew(plan);
    if (tests !== undefined) tests.check(onlyUpgraded(plan).desired.spec.programs);
    return plan;
  };
  await applyDeclared(
    context,
    { ...options, settleMs, planner },
    {
      tests: tests === undefined ? null : tests.count,
      testOf: () =>
        tests === undefined ? undefined : (folder, signal) => tests.run(folder, signal, context.output),
    },
  );
};

function settleTime(text: string): number {
  const settleMs = parseDuration(text);
  if (settleMs !== undefined) return settleMs;
  throw new NetkitError('usage', `--settle '${text}' is no duration`, {
    hint: "such as '10s', '500ms' or '2m'",
  });
}

function refuseNew({ functions }: ManifestPlan): void {
  const created = functions.find(({ verb }) => verb === 'create');
  if (created === undefined) return;
  throw new NetkitError('not-found', `'${created.name}' is not there yet: there is nothing to upgrade`, {
    hint: "'netkit apply' makes it",
  });
}

function onlyUpgraded({ functions }: ManifestPlan): FunctionPlan {
  const upgraded = functions.filter(({ verb }) => verb === 'upgrade');
  const [only, ...others] = upgraded.length > 0 ? upgraded : functions;
  if (only !== undefined && others.length === 0) return only;
  throw new NetkitError('usage', '--test is for one function', { hint: 'name it' });
}
