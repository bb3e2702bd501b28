/** Programs that set up a network namespace: short ones, waited for. */
import { type SpawnSyncOptionsWithStringEncoding, spawnSync } from 'node:child_process';
import { NetkitError } from '../base/errors.js';
import { requireTool } from './command.js';
import { type Netns, withNetns } from './netns.js';

/** None of those started so takes longer, unless it hangs. */
const timeoutMs = 30_000;

/**
 * Runs a program inside a network namespace, or here, and returns its standard output.
 * @param env beside that of this process
 * @throws NetkitError `tool-missing`; `tool-failed` with what it said when it ends with another status than 0
 */
export function runInside(
  netns: Netns | undefined,
  file: string,
  args: readonly string[],
  input = '',
  env: Readonly<Record<string, string>> = {},
): string {
  const path = requireTool(file);
  const options: SpawnSyncOptionsWithStringEncoding & { readonly detached: true } = {
    input,
    encoding: 'utf8',
    timeout: timeoutMs,
    maxBuffer: 64 << 20,
    env: { ...process.env, LC_ALL: 'C.UTF-8', ...env },
    // Ctrl-C at a terminal is for this process alone, which lets it end. Node does so, and has no type for it.
    detached: true,
  };
  // A child starts in the namespace of the thread that makes it.
  const result = withNetns(netns, () => spawnSync(path, args, options));
  if (result.status === 0) return result.stdout;
  const isLate = result.error !== undefined && 'code' in result.error && result.error.code === 'ETIMEDOUT';
  const late = isLate ? `took longer than ${timeoutMs / 1000} s` : undefined;
  const said =
    late ?? result.error?.message ?? (result.stderr.trim() || `status ${result.status ?? result.signal}`);
  throw new NetkitError('tool-failed', `${[file, ...args].join(' ')}: ${said}`, { details: { tool: file } });
}
