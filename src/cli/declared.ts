/** What the commands share that work with manifests. */
import { counted } from '../base/counted.js';
import { describeDuration } from '../base/duration.js';
import { NetkitError } from '../base/errors.js';
import { type ApplyRequest, applyPlan, foresee, type Planner } from '../cnf/declared/apply-manifest.js';
import { type FieldChange, shortJson } from '../cnf/declared/field-changes.js';
import type { HealthWatch } from '../cnf/declared/health.js';
import type { FunctionPlan } from '../cnf/declared/plan-function.js';
import type { ChainPlan, Desires, ManifestPlan } from '../cnf/declared/plan-manifest.js';
import { desireManifest } from '../cnf/declared/plan-manifest.js';
import { describePlaceOf, describeStep } from '../cnf/declared/step.js';
import { readManifests } from '../cnf/manifest/read.js';
import { functionKinds } from '../functions/index.js';
import { sayReturn } from './confirmation.js';
import type { CommandContext } from './context.js';
import { environmentOf, storeOf } from './environment.js';
import { mapFates, sayMapFates } from './map-fates.js';
import type { Output } from './output.js';
import type { Page } from './page.js';
import type { DocumentOf } from './schema/index.js';

type PlanInfo = Omit<DocumentOf<'plan'>, 'pending'>;

/**
 * Reads the manifests that are named, or those that functions were applied from.
 * @throws NetkitError `usage` when nothing is named; `not-found`, `bad-manifest`, `compile-failed`, …
 */
export async function readDesires(
  context: CommandContext,
  names: readonly string[],
  files: readonly string[],
): Promise<Desires> {
  const store = storeOf(context);
  const paths = files.length > 0 ? files : manifestsOf(context, names);
  const manifest = await readManifests(paths, { stdin: context.io.stdin });
  const documents = manifest.documents.filter(
    ({ document }) => names.length === 0 || names.includes(document.metadata.name),
  );
  const found = new Set(documents.map(({ document }) => document.metadata.name));
  const missing = names.find((name) => !found.has(name));
  if (missing !== undefined)
    throw new NetkitError('not-found', `no document of ${paths.join(', ')} is called '${missing}'`);
  // What is not named is not gone.
  const named = names.length === 0 ? manifest : { ...manifest, documents, files: [] };
  const desires = await context.output.progress('reading manifests', () =>
    desireManifest(named, store, functionKinds, context.signal),
  );
  for (const { desired } of desires.functions)
    for (const { diagnostics } of [desired.object])
      for (const diagnostic of diagnostics) context.output.warn(diagnosticText(diagnostic));
  return desires;
}

function diagnosticText(diagnostic: { readonly message: string }): string {
  return diagnostic.message;
}

function manifestsOf(context: CommandContext, names: readonly string[]): string[] {
  if (names.length === 0)
    throw new NetkitError('usage', 'nothing says what is declared', {
      hint: 'name a manifest with -f FILE, or functions that were applied from one',
    });
  const store = storeOf(context);
  const paths = names.map((name) => {
    const manifest = store.read(name)?.declared?.manifest ?? store.readChain(name)?.manifest;
    if (manifest != null) return manifest;
    throw new NetkitError('not-found', `nobody knows which manifest declares '${name}'`, {
      hint: 'name it with -f FILE',
    });
  });
  return [...new Set(paths)];
}

export function planDocument(plan: ManifestPlan): PlanInfo {
  return {
    functions: plan.functions.filter(isConcerned).map((each) => ({
      name: each.name,
      verb: each.verb,
      generation: each.generation,
      changes: each.changes.map(changeDocument),
      drift: [...each.drift],
      steps: each.steps.map((step) => ({ kind: step.kind, about: describeStep(each.name, step) })),
      waiting: each.links.waiting.map(({ program, hook, target, netns }) => ({
        program,
        hook,
        target: target ?? null,
        netns: netns ?? null,
      })),
    })),
    chains: plan.chains.map((each) => ({
      name: each.name,
      verb: chainVerb(each),
      changes: each.changes.map(changeDocument),
    })),
    removed: [...plan.removed],
    left: [...plan.left],
  };
}

function isConcerned({ links, steps, verb }: FunctionPlan): boolean {
  return steps.length > 0 || links.waiting.length > 0 || verb === 'none';
}

function changeDocument({ path, from, to }: FieldChange) {
  return { path, from: from ?? null, to: to ?? null };
}

function chainVerb({ before, desired, changes }: ChainPlan): PlanInfo['chains'][number]['verb'] {
  if (desired === undefined) return 'delete';
  if (before === undefined) return 'create';
  return changes.length === 0 ? 'none' : 'change';
}

/** Whether something is to be done. */
export function isPending(plan: PlanInfo): boolean {
  return (
    plan.functions.some(({ steps }) => steps.length > 0) ||
    plan.chains.some(({ verb }) => verb !== 'none') ||
    plan.removed.length > 0
  );
}

const verbWords = {
  create: 'is made',
  restore: 'is brought back',
  upgrade: 'is upgraded',
  change: 'changes in place',
  none: 'stays as it is',
} as const;

/** The plan for people. */
export function fillPlan(page: Page, plan: PlanInfo, files: ManifestPlan): void {
  for (const each of plan.functions) {
    if (each.steps.length === 0 && each.waiting.length === 0) continue;
    const generation =
      each.verb === 'upgrade' || each.verb === 'create' ? ` (generation ${each.generation})` : '';
    page.line(`${each.name} ${verbWords[each.verb]}${generation}`);
    fillChanges(page, each.changes);
    for (const text of each.drift) page.line(`  ! ${text}`);
    for (const { kind, about } of each.steps) if (kind !== 'record') page.line(`  + ${about}`);
    const waiting = files.functions.find(({ name }) => name === each.name)?.links.waiting ?? [];
    for (const one of waiting) page.line(`  … waits for ${describePlaceOf(one)}`);
  }
  for (const { name, verb, changes } of plan.chains) {
    if (verb === 'none') continue;
    page.line(
      `chain ${name} ${verb === 'create' ? 'is made' : verb === 'delete' ? 'is removed' : 'changes'}`,
    );
    fillChanges(page, changes);
  }
  for (const name of plan.removed) page.line(`${name} is removed: no manifest has it any more`);
  for (const name of plan.left) page.line(`${name} stays, though no manifest has it any more: see --prune`);
  if (!isPending(plan)) page.line('nothing to do');
}

function fillChanges(page: Page, changes: readonly { path: string; from: unknown; to: unknown }[]): void {
  for (const { path, from, to } of changes) page.line(`  ~ ${path}: ${shown(from)} → ${shown(to)}`);
}

function shown(value: unknown): string {
  return value === null ? 'nothing' : shortJson(JSON.parse(JSON.stringify(value)));
}

/** What was done, for people. */
export function fillApplied(
  page: Page,
  document: Omit<DocumentOf<'apply'>, 'returnsAt' | 'dryRun' | 'upgrades'>,
  plan: ManifestPlan,
): void {
  for (const each of document.functions) {
    const waiting = plan.functions.find(({ name }) => name === each.name)?.links.waiting ?? [];
    for (const one of waiting) page.line(`${each.name} waits for ${describePlaceOf(one)}`);
    if (each.steps.length === 0) continue;
    for (const { path } of each.changes) page.line(`${each.name}: ${path} changed`);
    for (const { kind, about } of each.steps) if (kind !== 'record') page.line(about);
    page.line(`${each.name}: generation ${each.generation} ${doneWords[each.verb]}`);
  }
  for (const { name, verb } of document.chains)
    if (verb !== 'none') page.line(`chain ${name}: ${verb === 'delete' ? 'removed' : 'as declared'}`);
  for (const name of document.removed) page.line(`removed ${name}`);
  for (const { function: name, about, afterMs } of document.health)
    page.line(`${name} is healthy after ${describeDuration(afterMs)}: ${about}`);
  for (const name of document.left)
    page.line(`${name} stays, though no manifest has it any more: see --prune`);
  if (!isPending(document)) page.line('nothing to do');
}

/** What `apply` and its kin are told. */
interface Applying {
  /** As many as there are when left out. */
  readonly keep?: number | undefined;
  readonly allowGap: boolean;
  readonly confirm?: string | undefined;
  readonly settleMs?: number | undefined;
  readonly watchesHealth?: boolean;
  readonly planner: Planner;
}

interface Testing {
  /** How many packets are run through new programs. */
  readonly tests?: number | null;
  readonly testOf?: ApplyRequest['testOf'];
}

/** Plans and performs, or with `--dry-run` only plans, and says what was done. */
export async function applyDeclared(
  context: CommandContext<'apply'> | CommandContext<'upgrade'> | CommandContext<'rollback'>,
  { planner, confirm, keep, allowGap, settleMs, watchesHealth = true }: Applying,
  { tests, testOf }: Testing,
): Promise<void> {
  const output: Output = context.output;
  const environment = environmentOf(context, confirm);
  const { dryRun } = context.options;
  const { plan, upgrades, health, returnsAt, confirmedBy } = dryRun
    ? {
        plan: await foresee(environment, planner),
        ...{ upgrades: [], health: [], returnsAt: undefined, confirmedBy: undefined },
      }
    : await applyPlan(
        {
          ...environment,
          keep,
          allowGap,
          settleMs,
          watchesHealth,
          ...(testOf === undefined ? {} : { testOf }),
          whileSettling: (watches, work) => output.progress(settlingText(watches), work),
        },
        planner,
      );
  const document = {
    ...planDocument(plan),
    upgrades: upgrades.map(({ function: name, maps, taken }) => ({
      function: name,
      maps: mapFates(maps, taken),
    })),
    dryRun,
    health: health.map((each) => ({ ...each })),
    returnsAt: returnsAt ?? null,
    ...(tests === undefined ? {} : { tests: dryRun ? null : tests }),
  };
  output.done(document, (page) => {
    if (dryRun) return fillPlan(page, document, plan);
    if (tests !== undefined && tests !== null) page.line(`${counted(tests, 'test')} passed`);
    // That maps are kept goes without saying.
    for (const { maps } of document.upgrades)
      sayMapFates(
        page,
        maps.filter(({ fate }) => fate !== 'kept'),
        false,
      );
    fillApplied(page, document, plan);
    sayReturn(page, returnsAt, confirmedBy);
  });
}

const doneWords = {
  create: 'runs',
  restore: 'runs again',
  upgrade: 'took over',
  change: 'is as declared',
  none: 'was as declared',
} as const;

function settlingText(watches: readonly HealthWatch[]): string {
  const about = watches.map(({ name, settleMs }) => `${name} for ${describeDuration(settleMs)}`);
  return `watching the health of ${about.join(', ')}`;
}
