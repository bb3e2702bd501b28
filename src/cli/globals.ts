import { resolve } from 'node:path';
import { NetkitError } from '../base/errors.js';
import type { Paths } from './context.js';
import type { Io } from './io.js';
import type { OptionValue } from './table/types.js';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/** The options that every command takes, and the two that depend on the command. */
export interface GlobalOptions {
  readonly json: boolean;
  /** Implies `json`: 64-bit integers as strings. */
  readonly jsonStrings: boolean;
  readonly quiet: boolean;
  readonly color: boolean;
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly ifExists: boolean;
  readonly logLevel: LogLevel;
  /** A name, an absolute path, or the id of a process; `undefined` for the namespace that netkit runs in. */
  readonly netns: string | undefined;
  /** Seconds. */
  readonly lockTimeout: number;
}

/** Reads the global options out of everything that was parsed. */
export function readGlobals(values: ReadonlyMap<string, OptionValue>, io: Io): GlobalOptions {
  const on = (name: string) => values.get(name) === true;
  const lockTimeout = values.get('lock-timeout');
  const level = values.get('log-level');
  const jsonStrings = on('json-strings');
  return {
    json: jsonStrings || on('json'),
    jsonStrings,
    quiet: on('quiet'),
    color: !on('no-color') && !io.env.NO_COLOR && io.env.TERM !== 'dumb',
    yes: on('yes'),
    dryRun: on('dry-run'),
    ifExists: on('if-exists'),
    logLevel: level === 'error' || level === 'warn' || level === 'debug' ? level : 'info',
    netns: textOf(values.get('netns'), '--netns'),
    lockTimeout: typeof lockTimeout === 'number' ? lockTimeout : 10,
  };
}

/** Where pins and state are when nothing is said. */
export const usualPaths = { bpffs: '/sys/fs/bpf', stateDir: '/var/lib/netkit' } as const;

/** Where pins and state are: an option, else the environment, else the usual place. */
export function readPaths(values: ReadonlyMap<string, OptionValue>, io: Io): Paths {
  const bpffs = textOf(values.get('bpffs'), '--bpffs') ?? (io.env.NETKIT_BPFFS || undefined);
  const stateDir = textOf(values.get('state-dir'), '--state-dir') ?? (io.env.NETKIT_STATE_DIR || undefined);
  return {
    bpffs: resolve(bpffs ?? usualPaths.bpffs),
    bpffsGiven: bpffs !== undefined,
    stateDir: resolve(stateDir ?? usualPaths.stateDir),
  };
}

function textOf(value: OptionValue, option: string): string | undefined {
  if (typeof value !== 'string') return undefined;
  if (value === '') throw new NetkitError('usage', `${option} is empty`);
  return value;
}
