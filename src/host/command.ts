import { accessSync, constants, statSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { NetkitError } from '../base/errors.js';

/** How to start a program. */
export interface CommandOptions {
  /** Directory to start in; the current one when left out. */
  readonly cwd?: string | undefined;
  /** Standard input; closed when left out. */
  readonly input?: string | Uint8Array | undefined;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Ends the program (SIGTERM, then SIGKILL after 5 s) when aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** How a program ended. */
export interface CommandResult {
  /** Its exit status; 128 + signal number when a signal ended it, as shells count. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const debianPackages: Readonly<Record<string, string>> = {
  clang: 'clang',
  'llvm-strip': 'llvm',
  'llvm-objdump': 'llvm',
  'llvm-mc': 'llvm',
  bpftool: 'bpftool',
  ip: 'iproute2',
  tc: 'iproute2',
  ss: 'iproute2',
  iptables: 'iptables',
  ip6tables: 'iptables',
  'iptables-restore': 'iptables',
  'ip6tables-restore': 'iptables',
  ipset: 'ipset',
  nft: 'nftables',
  nsenter: 'util-linux',
  skopeo: 'skopeo',
};

// The PATH of an ordinary user lacks these on Debian, and ip, tc and bpftool live there.
const systemDirectories = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/**
 * The absolute path of the program `name`, searched in PATH and then in the system directories, without starting
 * anything. A name with a slash is looked at as a path. `undefined` when there is no such executable file.
 */
export function findTool(name: string): string | undefined {
  if (name.includes('/')) return isExecutable(name) ? resolve(name) : undefined;
  if (name === '') return undefined;
  // An empty part of PATH means the current directory to a shell; starting tools from there as root is a trap.
  const directories = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((directory) => directory.startsWith('/'));
  for (const directory of [...directories, ...systemDirectories]) {
    const path = join(directory, name);
    if (isExecutable(path)) return path;
  }
  return undefined;
}

/** Like {@link findTool}; throws 'tool-missing', with the Debian package to install, when there is none. */
export function requireTool(name: string): string {
  const path = findTool(name);
  if (path !== undefined) return path;
  const debianPackage = debianPackages[name];
  throw new NetkitError('tool-missing', `the program '${name}' is not installed`, {
    hint: debianPackage === undefined ? undefined : `on Debian: apt-get install ${debianPackage}`,
    details: { tool: name, ...(debianPackage === undefined ? {} : { debianPackage }) },
  });
}

/**
 * Runs a program to its end and returns its output as text; a nonzero exit status is a result, not an error.
 *
 * Throws 'tool-missing' when there is no such program, 'interrupted' when `signal` was aborted, 'tool-failed' when
 * it could not be started.
 */
export async function runCommand(
  file: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const path = requireTool(file);
  const { cwd, input, env, signal } = options;
  const interrupted = () =>
    new NetkitError('interrupted', `'${file}' was interrupted`, { details: { tool: file } });
  if (signal?.aborted) throw interrupted();
  const { execa } = await import('execa');
  const result = await execa(path, args, {
    reject: false,
    stripFinalNewline: false,
    // Messages that netkit reads or shows are the same whatever the user's language.
    env: { LC_ALL: 'C.UTF-8', ...env },
    ...(cwd === undefined ? {} : { cwd }),
    ...(input === undefined ? { stdin: 'ignore' } : { input }),
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  if (result.isCanceled) throw interrupted();
  const exitCode = result.exitCode ?? signalExitCode(result.signal);
  if (exitCode === undefined || result.isMaxBuffer) {
    throw new NetkitError(
      'tool-failed',
      `'${file}' could not be run: ${result.originalMessage ?? 'unknown reason'}`,
      {
        details: { tool: file, path, ...(result.code === undefined ? {} : { errno: result.code }) },
        cause: result,
      },
    );
  }
  return { exitCode, stdout: result.stdout, stderr: result.stderr };
}

/** 128 + the number of a signal, as shells count; undefined where there is none. */
export function signalExitCode(signal: string | undefined): number | undefined {
  if (signal === undefined) return undefined;
  const number = Object.entries(osConstants.signals).find(([name]) => name === signal)?.[1];
  return number === undefined ? undefined : 128 + number;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
