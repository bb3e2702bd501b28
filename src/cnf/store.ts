/** The state directory: one file a function, the stored objects, the journal and the lock. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, NetkitError } from '../base/errors.js';
import { removeStaleTemporaries, writeFileSynced } from '../host/atomic-file.js';
import { fileError, fileErrorCode } from '../host/file-errors.js';
import type { Action, Plan } from './action.js';
import { type ChainState, chainState } from './chain-state.js';
import { isFunctionName } from './names.js';
import { convertPlan, convertState } from './older-formats.js';
import { changePlan, type FunctionState, functionState, stateFormat } from './state.js';

/** No function is called that: the name has a dot. */
const journalFile = 'change.journal';
const batchJournalFile = 'batch.journal';

export class StateStore {
  readonly directory: string;
  /** What was read last of each function, by its file: checking the links of many interfaces takes its time. */
  readonly #known = new Map<string, { readonly text: string; readonly state: FunctionState }>();

  constructor(directory: string) {
    this.directory = directory;
  }

  get lockPath(): string {
    return join(this.directory, 'lock');
  }

  /** Makes the directory, root's alone. @throws NetkitError `not-permitted`, `usage` when it is none */
  prepare(): void {
    try {
      mkdirSync(this.directory, { recursive: true, mode: 0o700 });
      if ((statSync(this.directory).mode & 0o077) !== 0) {
        this.#refuseOthersFiles();
        chmodSync(this.directory, 0o700);
      }
    } catch (error) {
      if (error instanceof NetkitError) throw error;
      if (['EEXIST', 'ENOTDIR'].includes(fileErrorCode(error) ?? '')) {
        throw new NetkitError('usage', `the state directory '${this.directory}' is a file, or below one`, {
          cause: error,
        });
      }
      throw fileError(error, 'make the state directory', this.directory);
    }
  }

  /** Shutting everybody else out of a directory that is not netkit's, such as /tmp, would break the machine. */
  #refuseOthersFiles(): void {
    const isOwn =
      /^(lock|(change|batch)\.journal|[a-z0-9][a-z0-9_-]*(\.json|\.pending|\.chain|\.bpf\.o|\.entries|@[^/]+\.kept)|\..*\.tmp)$/;
    const other = this.#files().find((file) => !isOwn.test(file));
    if (other === undefined) return;
    throw new NetkitError(
      'usage',
      `'${this.directory}' is no state directory: it is open to others and holds '${other}'`,
      { hint: 'name a directory that is new, empty, or of mode 0700' },
    );
  }

  /** Names of the functions that have a state file. */
  names(): string[] {
    const names = this.#files()
      .filter((file) => file.endsWith('.json'))
      .map((file) => file.slice(0, -'.json'.length));
    return names.filter(isFunctionName).sort();
  }

  /** Names of the functions with a change that waits to be confirmed, or that was taken back: see `pending/record.ts`. */
  pendingNames(): string[] {
    const names = this.#files()
      .filter((file) => file.endsWith('.pending'))
      .map((file) => file.slice(0, -'.pending'.length));
    return names.filter(isFunctionName).sort();
  }

  pendingPath(name: string): string {
    return join(this.directory, `${name}.pending`);
  }

  #files(): string[] {
    try {
      return readdirSync(this.directory);
    } catch (error) {
      if (fileErrorCode(error) === 'ENOENT') return [];
      throw fileError(error, 'read the state directory', this.directory);
    }
  }

  /** @throws NetkitError `bad-state` for a file that is damaged or of a newer netkit */
  read(name: string): FunctionState | undefined {
    const path = join(this.directory, `${name}.json`);
    const hint = `'netkit unload ${name}' removes the function from its pins alone`;
    const text = readText(path, hint);
    if (text === undefined) return undefined;
    const known = this.#known.get(name);
    if (known?.text === text) return known.state;
    const value = jsonOf(text, path, hint);
    const parsed = functionState.safeParse(convertState(value));
    if (parsed.success && parsed.data.name === name) {
      this.#known.set(name, { text, state: parsed.data });
      return parsed.data;
    }
    refuseNewer(path, value);
    const issue = parsed.error?.issues[0];
    throw new NetkitError(
      'bad-state',
      `${path} is damaged at '${issue?.path.join('.') ?? 'name'}': ${issue?.message ?? 'it is of another function'}`,
      {
        hint,
      },
    );
  }

  /** {@link read}, or the error in place of a damaged file: for lists, which show the rest all the same. */
  readOrProblem(name: string): {
    readonly state: FunctionState | undefined;
    readonly problem: string | undefined;
  } {
    try {
      return { state: this.read(name), problem: undefined };
    } catch (error) {
      if (!(error instanceof NetkitError) || error.code !== 'bad-state') throw error;
      return { state: undefined, problem: error.message };
    }
  }

  /** {@link read} for functions beside the one at hand: the command that is about a damaged file reports it, not each. */
  peek(name: string): FunctionState | undefined {
    return this.readOrProblem(name).state;
  }

  write(state: FunctionState): void {
    writeFileSynced(join(this.directory, `${state.name}.json`), `${JSON.stringify(state, null, 2)}\n`);
  }

  remove(name: string): void {
    rmSync(join(this.directory, `${name}.json`), { force: true });
  }

  /** Names of the chains that a manifest declares. */
  chainNames(): string[] {
    const names = this.#files()
      .filter((file) => file.endsWith('.chain'))
      .map((file) => file.slice(0, -'.chain'.length));
    return names.filter(isFunctionName).sort();
  }

  /** Undefined when there is no such chain. @throws NetkitError `bad-state` */
  readChain(name: string): ChainState | undefined {
    const path = this.#chainPath(name);
    const hint = `'netkit delete ${name}' forgets the chain`;
    const value = readJson(path, hint);
    if (value === undefined) return undefined;
    refuseNewer(path, value);
    const { data, error } = chainState.safeParse(value);
    if (data?.name === name) return data;
    const issue = error?.issues[0];
    throw new NetkitError(
      'bad-state',
      `${path} is damaged at '${issue?.path.join('.') ?? 'name'}': ${issue?.message ?? 'it is of another chain'}`,
      { hint },
    );
  }

  /** Writes the file of a chain; null removes it. */
  writeChain(name: string, chain: ChainState | null): void {
    if (chain === null) rmSync(this.#chainPath(name), { force: true });
    else writeFileSynced(this.#chainPath(name), `${JSON.stringify(chain, null, 2)}\n`);
  }

  #chainPath(name: string): string {
    return join(this.directory, `${name}.chain`);
  }

  objectPath(file: string): string {
    return join(this.directory, file);
  }

  storeObject(file: string, bytes: Uint8Array): void {
    writeFileSynced(this.objectPath(file), bytes);
  }

  /** Files of all objects that are kept for a function: one, or more after damage. */
  objectsOf(name: string): string[] {
    return this.#files().filter(
      (file) => file.startsWith(`${name}-`) && /^[0-9a-f]{12}\.bpf\.o$/.test(file.slice(name.length + 1)),
    );
  }

  /** Files of the entries that are declared for maps of a function. */
  entriesOf(name: string): string[] {
    return this.#files().filter(
      (file) => file.startsWith(`${name}-`) && /^[0-9a-f]{12}\.entries$/.test(file.slice(name.length + 1)),
    );
  }

  /** Where the contents of a map are kept that are to come back after a reboot. */
  keptPath(name: string, map: string): string {
    return join(this.directory, `${name}@${map}.kept`);
  }

  /** Files of the contents of a function's maps. */
  keptOf(name: string): string[] {
    return this.#files().filter((file) => file.startsWith(`${name}@`) && file.endsWith('.kept'));
  }

  dropObject(file: string): void {
    rmSync(this.objectPath(file), { force: true });
  }

  /** The plan that a killed command left, if one did. @throws NetkitError `bad-state` */
  readJournal(): Plan | undefined {
    const path = join(this.directory, journalFile);
    const value = readJson(path, journalHint);
    if (value === undefined) return undefined;
    refuseNewer(path, value);
    const plan = planOf(value);
    if (plan !== undefined) return plan;
    throw new NetkitError('bad-state', `${path} is damaged: it is no plan of a change`, {
      hint: journalHint,
    });
  }

  writeJournal(plan: Plan): void {
    writeFileSynced(
      join(this.directory, journalFile),
      JSON.stringify({ formatVersion: stateFormat, ...plan }),
    );
  }

  /** Removes the files that commands were writing when they were killed. */
  removeUnfinished(): void {
    removeStaleTemporaries(this.directory);
  }

  removeJournal(): void {
    rmSync(join(this.directory, journalFile), { force: true });
  }

  /** Where an atomic batch keeps what it did: see `batch-journal.ts`. */
  get batchJournalPath(): string {
    return join(this.directory, batchJournalFile);
  }

  removeBatchJournal(): void {
    rmSync(this.batchJournalPath, { force: true });
  }
}

export const journalHint = "'netkit unload NAME' works from the pins all the same, and clears it";

/** A file of a newer format may mean what this netkit does not know: it is left alone. */
export function refuseNewer(path: string, value: unknown): void {
  const format =
    typeof value === 'object' && value !== null && 'formatVersion' in value ? value.formatVersion : undefined;
  if (typeof format !== 'number' || format <= stateFormat) return;
  throw new NetkitError('bad-state', `${path} was written by a newer netkit (format ${format})`, {
    hint: 'use that netkit',
  });
}

/** A plan as a journal has it, of whichever format; undefined when it is none. */
export function planOf(value: unknown): Plan | undefined {
  const converted = convertPlan(value);
  return isPlan(converted) ? converted : undefined;
}

/** Some of the actions of a plan, from a file; undefined when they are none. */
export function actionsOf(value: unknown): readonly Action[] | undefined {
  const plan = { change: '', bootId: '', command: '', startedAt: '', function: 'batch', actions: value };
  return planOf(plan)?.actions;
}

function isPlan(value: unknown): value is Plan {
  return changePlan().safeParse(value).success;
}

/** Undefined when there is no such file. @throws NetkitError `bad-state` for what is no JSON */
export function readJson(path: string, hint?: string): unknown {
  const text = readText(path, hint);
  return text === undefined ? undefined : jsonOf(text, path, hint);
}

function readText(path: string, hint: string | undefined): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (fileErrorCode(error) === 'ENOENT') return undefined;
    if (fileErrorCode(error) === 'EISDIR') {
      throw new NetkitError('bad-state', `${path} is damaged: it is a directory`, { hint, cause: error });
    }
    throw fileError(error, 'read', path);
  }
}

function jsonOf(text: string, path: string, hint: string | undefined): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new NetkitError('bad-state', `${path} is damaged: ${messageOf(error)}`, { hint, cause: error });
  }
}
