/**
 * Performs plans of declared functions as one change that is made as a whole: step by step, each planned on what the one
 * before it left, all of it in one transaction.
 */
import type { NetkitError } from '../../base/errors.js';
import { Scope } from '../../base/scope.js';
import { exists } from '../../host/folders.js';
import { mountedBpffs } from '../../host/mounts.js';
import type { Action } from '../action.js';
import { planAttachments } from '../attach-function.js';
import { planDetach, planUnload } from '../detach-function.js';
import { hasChanges } from '../entries/merge.js';
import {
  type EnvironmentOptions,
  type Proposal,
  planOf,
  stageOf,
  type World,
  worldOf,
} from '../environment.js';
import { functionFolder, pinPath, stagingFolder } from '../layout.js';
import { planLoad } from '../load-function.js';
import { refuseBeside } from '../pending/planning.js';
import type { Stage } from '../perform.js';
import { isMovable, type MovableLink, planRearrange } from '../rearrange-function.js';
import {
  type PlannedMap,
  type ProgramTest,
  planReplace,
  type ReplaceProposal,
  type TakenOver,
} from '../replace-function.js';
import { stateFormat } from '../state.js';
import type { StateStore } from '../store.js';
import type { Transaction } from '../transaction.js';
import { entryWrite, storingWork } from './entry-write.js';
import { toJson } from './field-changes.js';
import { restoreContents } from './kept.js';
import { entryChanges, entryMaps, pinnedAs } from './plan-entries.js';
import type { FunctionPlan } from './plan-function.js';
import type { ChainPlan } from './plan-manifest.js';
import { type Recording, recordActions } from './recording.js';
import { explained, refuseGaps } from './refusals.js';
import { type AttachStep, type DetachStep, onDifferentInterfaces, type UpgradeStep } from './step.js';

export interface ApplyOptions extends EnvironmentOptions {
  /** How many generations are kept, the one that runs included. */
  readonly keep: number;
  /** Replace also what the kernel cannot swap, and attach anew what cannot be changed in place. */
  readonly allowGap: boolean;
  /** Runs packets through new programs before they take over, by the name of the function. */
  readonly testOf?: (name: string) => ProgramTest | undefined;
  /** Called for what a function comes without; without it, saved contents that are damaged are noted, and what is not there fails. */
  readonly onLack?: (name: string, error: NetkitError) => void;
  /** Called right before programs change places. */
  readonly beforeSwap?: (plans: readonly FunctionPlan[]) => void;
}

/** A replacement whose programs are loaded, and not yet in place. */
interface Prepared {
  readonly plan: FunctionPlan;
  readonly proposal: ReplaceProposal;
  readonly stage: Stage;
  readonly rest: readonly Action[];
}

/** What became of a function's maps in an upgrade. */
export interface Upgrade {
  readonly function: string;
  readonly maps: readonly PlannedMap[];
  /** By the names of the maps. */
  readonly taken: ReadonlyMap<string, TakenOver>;
}

export class Applying implements Disposable {
  readonly #options: ApplyOptions;
  readonly #store: StateStore;
  readonly #transaction: Transaction;
  readonly #bpffs: string;
  readonly #scope = new Scope();
  /** Links that were made or found, by function and the key of their place. */
  readonly #links = new Map<string, Map<string, string>>();

  /** Upgrades that were made, with what was taken over of maps. */
  readonly upgrades: Upgrade[] = [];

  /** @param transaction open, under the lock */
  constructor(options: ApplyOptions, store: StateStore, transaction: Transaction) {
    this.#options = options;
    this.#store = store;
    this.#transaction = transaction;
    this.#bpffs = mountedBpffs(options.bpffs);
  }

  /** Makes functions what they are to be. What is removed goes last. @throws whatever the step that fails throws */
  async apply(
    plans: readonly FunctionPlan[],
    chains: readonly ChainPlan[],
    removed: readonly string[],
  ): Promise<void> {
    const active = plans.filter(({ steps }) => steps.length > 0);
    refuseGaps(active, this.#options.allowGap);
    const prepared: Prepared[] = [];
    for (const plan of active) {
      if (plan.steps.some(({ kind }) => kind === 'load')) await this.#load(plan);
      const upgrade = plan.steps.find((step) => step.kind === 'upgrade');
      if (upgrade !== undefined) prepared.push(await this.#prepare(plan, upgrade));
    }
    for (const plan of active) await this.#writeEntries(plan, prepared);
    this.#options.beforeSwap?.(active);
    for (const each of prepared) await this.#swap(each);
    for (const plan of active) await this.#takeOff(plan, leavesFirst);
    for (const plan of active) await this.#moveLinks(plan);
    for (const plan of active) await this.#takeOff(plan, (step) => !leavesFirst(step));
    for (const chain of chains.filter(({ desired }) => desired === undefined)) await this.#recordChain(chain);
    for (const name of removed) await this.#perform(planUnload(this.#world(), name));
    for (const plan of active) await this.#record(plan);
    for (const chain of chains.filter(({ desired }) => desired !== undefined)) await this.#recordChain(chain);
  }

  async #load(plan: FunctionPlan): Promise<void> {
    const { desired, state } = plan;
    const { spec, choices, name, object } = desired;
    const about = {
      object: object.path,
      name,
      replace: state !== undefined,
      persist: true,
      attachesAnew: true,
    };
    await this.#perform(planLoad(this.#world(), spec, { ...choices, ...about }));
    await restoreContents(plan, this.#bpffs, this.#store, this.#options);
  }

  async #prepare(plan: FunctionPlan, { newMaps }: UpgradeStep): Promise<Prepared> {
    const { desired, steps } = plan;
    const { name, object, spec, choices } = desired;
    const leaving = steps.flatMap((step) => (step.kind === 'detach' ? [step.link.name] : []));
    const request = {
      ...choices,
      function: name,
      object: object.path,
      spec,
      anew: true,
      newMaps,
      allowGap: this.#options.allowGap,
      leaving: new Set(leaving),
      test: this.#options.testOf?.(name),
    };
    const proposal = await explained(planReplace(this.#world(), request));
    const { actions } = proposal;
    const swap = actions.findIndex(({ kind }) => ['catch-up', 'swap', 'detach', 'move'].includes(kind));
    const stage = stageOf(this.#options, this.#store, proposal);
    await this.#do(name, actions.slice(0, swap), stage);
    return { plan, proposal, stage, rest: actions.slice(swap) };
  }

  /** Into the maps that are about to be used: those that nobody uses yet need not be put back. */
  async #writeEntries({ desired, state, steps }: FunctionPlan, prepared: readonly Prepared[]): Promise<void> {
    const { name } = desired;
    const upgrade = prepared.find(({ plan }) => plan.name === name);
    const isNew = steps.some(({ kind }) => kind === 'load');
    for (const map of entryMaps(desired, state?.declared?.present)) {
      const pinned = pinnedAs(desired, map);
      const folder = upgrade === undefined ? functionFolder : stagingFolder;
      const pin = pinPath(folder(this.#bpffs, name), 'maps', pinned);
      const fate = upgrade?.proposal.maps.find((each) => each.name === pinned)?.fate;
      const isUsed = upgrade === undefined ? !isNew : fate === 'kept' || fate === 'reused';
      await this.#writeMap(desired.name, map, pin, isUsed, desired, state);
    }
  }

  async #writeMap(
    name: string,
    map: string,
    pin: string,
    isUsed: boolean,
    desired: FunctionPlan['desired'],
    state: FunctionPlan['state'],
  ): Promise<void> {
    if (!exists(pin)) return;
    const planning = { ...this.#world(), signal: this.#options.signal };
    const changes = await entryChanges(planning, desired, map, pin, state?.declared?.present);
    if (!hasChanges(changes)) return;
    const { action, work } = entryWrite(name, pin, changes, isUsed);
    await this.#perform({ function: name, actions: [action], declared: work });
  }

  /** The programs change places. What was declared of migrated maps is looked at again: the old programs wrote meanwhile. */
  async #swap({ plan, proposal, stage, rest }: Prepared): Promise<void> {
    const { desired, state } = plan;
    await this.#do(plan.name, rest, stage);
    this.upgrades.push({ function: plan.name, maps: proposal.maps, taken: proposal.taken });
    for (const map of entryMaps(desired, state?.declared?.present)) {
      const pinned = pinnedAs(desired, map);
      if (proposal.maps.find(({ name }) => name === pinned)?.fate !== 'migrated') continue;
      const pin = pinPath(functionFolder(this.#bpffs, plan.name), 'maps', pinned);
      await this.#writeMap(plan.name, map, pin, false, desired, state);
    }
  }

  /** An upgrade has left its old places already. */
  async #takeOff({ name, steps }: FunctionPlan, isMeant: (step: DetachStep) => boolean): Promise<void> {
    if (steps.some(({ kind }) => kind === 'upgrade')) return;
    const leaving = steps.flatMap((step) =>
      step.kind === 'detach' && isMeant(step) ? [step.link.name] : [],
    );
    if (leaving.length > 0)
      await this.#perform(planDetach(this.#world(), { function: name, links: leaving }));
  }

  async #moveLinks({ name, steps, links }: FunctionPlan): Promise<void> {
    const made = new Map([...links.staying].map(([key, link]) => [key, link.name]));
    this.#links.set(name, made);
    for (const step of steps) {
      if (step.kind !== 'rearrange') continue;
      const request = { function: name, link: step.link.name, ...placingIn(step.next) };
      await this.#perform(planRearrange(this.#world(), request));
    }
    const attach = steps.filter((step) => step.kind === 'attach');
    for (const together of onDifferentInterfaces(attach)) await this.#attach(name, together, made);
  }

  /** What went meanwhile, or is no interface and not there yet, is a lack where lacks are told. */
  async #attach(name: string, steps: readonly AttachStep[], made: Map<string, string>): Promise<void> {
    const { onLack } = this.#options;
    const lacks = onLack === undefined ? undefined : (error: NetkitError) => onLack(name, error);
    const leftOut = lacks === undefined ? undefined : new Map<string, NetkitError>();
    const requests = steps.map(({ place: { hook, ...place } }) => ({ ...place, hook: hook ?? undefined }));
    const proposal = planAttachments(this.#world(), name, requests, lacks);
    await this.#perform(proposal, leftOut);
    for (const error of leftOut?.values() ?? []) lacks?.(error);
    for (const request of requests) {
      const [link] = proposal.links.get(request) ?? [];
      if (link !== undefined && leftOut?.has(link.name) !== true) made.set(request.key, link.name);
    }
  }

  async #record(plan: FunctionPlan): Promise<void> {
    const before = this.#store.read(plan.name);
    if (before === undefined) throw new TypeError(`'${plan.name}' has no state to record in`);
    const world = this.#world();
    const recording: Recording = {
      plan,
      before,
      links: this.#links.get(plan.name) ?? new Map(),
      keep: this.#options.keep,
      change: world.change,
      store: this.#store,
    };
    const { actions, files } = recordActions(recording);
    await this.#perform({ function: plan.name, actions, declared: storingWork(files) });
  }

  async #recordChain({ name, before, desired }: ChainPlan): Promise<void> {
    const world = this.#world();
    const after =
      desired === undefined
        ? null
        : {
            formatVersion: stateFormat,
            name,
            change: world.change,
            manifest: desired.manifest,
            document: toRecord(desired.document),
            appliedAt: new Date().toISOString(),
          };
    const action: Action = { kind: 'record-chain', function: name, before: before ?? null, after };
    await this.#do(name, [action], stageOf(this.#options, this.#store));
  }

  #world(): World {
    return worldOf(this.#options, this.#store, this.#bpffs, this.#scope);
  }

  async #perform(proposal: Proposal, leftOut?: Stage['leftOut']): Promise<void> {
    const stage = { ...stageOf(this.#options, this.#store, proposal), leftOut };
    await this.#do(proposal.function, proposal.actions, stage);
  }

  async #do(name: string, actions: readonly Action[], stage: Stage): Promise<void> {
    if (actions.length === 0) return;
    refuseBeside(actions, this.#store, { goesByPins: false, dryRun: false });
    const plan = planOf(this.#options, this.#world(), { function: name, actions });
    await this.#transaction.perform(plan, stage, this.#options.signal);
  }

  [Symbol.dispose](): void {
    this.#scope[Symbol.dispose]();
  }
}

/**
 * Where several programs have room the one that goes stays until the one that comes is there. Elsewhere it makes room; and a
 * chain of XDP programs has one mode until its last member is gone, so what is attached anew goes first too.
 */
function leavesFirst({ link, gap }: DetachStep): boolean {
  return gap || !isMovable(link);
}

/** A link's place in the words of a request. */
function placingIn(link: MovableLink) {
  if (!('order' in link)) return { priority: link.priority, proceedOn: link.proceedOn };
  const { priority, place } = link.order;
  return { priority, place: place ?? undefined };
}

function toRecord(document: unknown): Record<string, unknown> {
  return { ...Object(toJson(document)) };
}
