/** The service manager of this machine. */
import { existsSync } from 'node:fs';
import { NetkitError } from '../base/errors.js';
import { runCommand } from './command.js';

/** Whether systemd is process 1, as sd_booted(3) finds out. */
export function isSystemdRunning(): boolean {
  return existsSync('/run/systemd/system');
}

/** Runs systemctl without asking anything. @throws NetkitError `tool-failed` with what it says, `tool-missing` */
export async function systemctl(args: readonly string[], signal?: AbortSignal): Promise<void> {
  const { exitCode, stderr } = await runCommand('systemctl', ['--no-ask-password', ...args], { signal });
  if (exitCode === 0) return;
  const said = stderr.trim().split('\n')[0] ?? '';
  throw new NetkitError(
    'tool-failed',
    `'systemctl ${args.join(' ')}' failed${said === '' ? ` with status ${exitCode}` : `: ${said}`}`,
    { details: { exitCode, stderr } },
  );
}

/** Whether a unit runs, or is about to. @throws NetkitError `tool-missing` */
export async function isUnitActive(name: string, signal?: AbortSignal): Promise<boolean> {
  const { exitCode } = await runCommand('systemctl', ['is-active', '--quiet', name], { signal });
  return exitCode === 0;
}
