import { spawnSync } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type ErrorCode, errorTable } from '../../src/base/errors.js';
import { packageRoot } from '../../src/host/package-root.js';
import { CliResult } from '../support/cli.js';
import { expectUnchanged, snapshotKernelState } from '../support/kernel-state.js';
import { expectValid } from '../support/schema.js';
import { errorOf, type Ground, hooksOf } from './ground.js';

/** How netkit is to refuse something. */
export interface Refusal {
  readonly status: number;
  readonly code: ErrorCode;
  /** Found in the one line of what is wrong. */
  readonly says: RegExp;
  /** Found in what standard error has before that line: what a compiler said. Nothing may be there when left out. */
  readonly before?: RegExp;
  /** Found in the hint. */
  readonly hints?: RegExp;
  /** What the details have, at least. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** The codes that most refusals have, with their exit status. */
export const usage = { status: 2, code: 'usage' } as const;
export const badValue = { status: 2, code: 'bad-value' } as const;
export const notFound = { status: 3, code: 'not-found' } as const;
export const notPermitted = { status: 4, code: 'not-permitted' } as const;
export const conflict = { status: 5, code: 'conflict' } as const;
export const unsupported = { status: 6, code: 'unsupported' } as const;

/** Runs netkit with these arguments, in whatever surroundings a test needs. */
export type Runner = (args: readonly string[]) => CliResult;

/**
 * Gives netkit what it has to refuse, once as a user and once with --json: the exit status, one line of what is wrong and
 * perhaps a hint, nothing on standard output, an error document by the schema; and everything is as it was.
 */
export async function expectRefused(
  ground: Ground,
  args: readonly string[],
  refusal: Refusal,
  runner: Runner = (words) => ground.netkit(...words),
): Promise<void> {
  const before = everything(ground);
  const kernel = snapshotKernelState();
  try {
    expectText(args, runner(args), refusal);
    // In front: behind `--` it would be an argument.
    expectDocument(args, runner(['--json', ...args]), refusal);
  } finally {
    await expectUnchanged(kernel);
  }
  expect(everything(ground)).toEqual(before);
}

function expectText(args: readonly string[], result: CliResult, refusal: Refusal): void {
  const all = `netkit ${args.join(' ')}: ${result.status}\n${result.stdout}${result.stderr}`;
  expect(result.status, all).toBe(refusal.status);
  expect(result.stdout, all).toBe('');
  const lines = result.stderr.replace(/\n$/, '').split('\n');
  const start = refusal.before === undefined ? 0 : lines.findIndex((line) => line.startsWith('netkit: '));
  if (refusal.before !== undefined) expect(lines.slice(0, start).join('\n'), all).toMatch(refusal.before);
  const [first = '', hint, ...more] = lines.slice(start);
  expect(first, all).toMatch(/^netkit: \S/);
  expect(first, all).toMatch(refusal.says);
  if (hint !== undefined) expect(hint, all).toMatch(/^hint: \S/);
  if (refusal.hints !== undefined) expect(hint, all).toMatch(refusal.hints);
  expect(more, all).toEqual([]);
}

function expectDocument(args: readonly string[], result: CliResult, refusal: Refusal): void {
  const all = `netkit --json ${args.join(' ')}: ${result.status}\n${result.stdout}${result.stderr}`;
  expect(result.status, all).toBe(refusal.status);
  expect(result.stdout, all).toBe('');
  expect(errorTable[refusal.code].exit, 'the status belongs to the code').toBe(refusal.status);
  expectValid('error', result.jsonError());
  const error = errorOf(result);
  expect(error.code, all).toBe(refusal.code);
  expect(error.message, all).toMatch(refusal.says);
  expect(error.details, all).toMatchObject(refusal.details ?? {});
}

/** Both hosts' interfaces with all that hangs on them, and every file of the state directory. */
function everything(ground: Ground): string[] {
  const { a, b } = ground.veth;
  return [...hooksOf(a.netns), ...hooksOf(b.netns), ...filesBelow(ground.bpffs.stateDir)];
}

function filesBelow(folder: string): string[] {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  if (found?.isDirectory() !== true) return [`${folder}: ${found === undefined ? 'none' : 'no directory'}`];
  return readdirSync(folder)
    .sort()
    .map((name) => {
      const path = join(folder, name);
      const { mode } = lstatSync(path);
      return `${name} ${mode.toString(8)} ${readFileSync(path).toString('base64')}`;
    });
}

/**
 * Runs netkit through another program, such as `['unshare', '--mount']`. `package` is the folder that it is installed
 * in, the checkout when left out; `env` is all of netkit's environment but PATH.
 */
export function through(
  wrapper: readonly string[],
  env: Readonly<Record<string, string>>,
  folder: string = packageRoot(),
): Runner {
  return (args) => {
    const [file = '', ...rest] = [...wrapper, process.execPath, join(folder, 'bin/netkit.js'), ...args];
    const { status, stdout, stderr, error } = spawnSync(file, rest, {
      env: { PATH: process.env.PATH ?? '', ...env },
      encoding: 'utf8',
      timeout: 60_000,
      cwd: '/',
    });
    if (error !== undefined) throw error;
    if (status === null) throw new Error(`${file}: ended by a signal: ${stderr}`);
    return new CliResult(status, stdout, stderr);
  };
}
