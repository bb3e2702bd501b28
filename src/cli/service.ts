/** What the commands of netkit as a service share. */
import { resolve } from 'node:path';
import { NetkitError } from '../base/errors.js';
import {
  describeServiceChange,
  ownUnits,
  performServiceChange,
  type ServiceChange,
  type ServiceOptions,
} from '../cnf/service/service.js';
import type { Unit } from '../cnf/service/units.js';
import { isSystemdRunning } from '../host/systemd.js';
import type { CommandContext, Paths } from './context.js';
import { usualPaths } from './globals.js';
import type { DocumentOf } from './schema/index.js';

/** The units for this netkit, with the folders that it was given. @throws NetkitError */
export function unitsOf({ bpffs, bpffsGiven, stateDir }: Paths): Unit[] {
  return ownUnits({
    stateDir,
    stateDirGiven: stateDir !== usualPaths.stateDir,
    bpffs: bpffsGiven && bpffs !== usualPaths.bpffs ? bpffs : undefined,
  });
}

/** @throws NetkitError `usage` */
export function unitDirOf(text: string): string {
  if (text === '') throw new NetkitError('usage', '--unit-dir is empty');
  return resolve(text);
}

type Changing = 'service install' | 'service uninstall';

/** Plans, performs unless it is a dry run, and tells. */
export async function changeService<N extends Changing>(
  context: CommandContext<N>,
  { unitDir, now }: { readonly unitDir: string; readonly now: boolean },
  plan: (units: readonly Unit[], options: ServiceOptions) => Promise<ServiceChange | undefined>,
  unchanged: string,
): Promise<ServiceChange | undefined> {
  const { output, options, paths, signal } = context;
  const { dryRun } = options;
  const folder = unitDirOf(unitDir);
  const planned = await plan(unitsOf(paths), { unitDir: folder, now, signal });
  if (signal.aborted) throw new NetkitError('interrupted', 'interrupted');
  if (planned !== undefined && !dryRun) await performServiceChange(planned, signal);
  const actions = planned === undefined ? [] : describeServiceChange(planned);
  const units = (planned?.files ?? []).map(({ name, path }) => ({ name, path }));
  const document: DocumentOf<Changing> = {
    unitDir: folder,
    systemd: isSystemdRunning(),
    units,
    dryRun,
    actions,
  };
  output.done(document, (page) => {
    if (actions.length === 0) page.line(unchanged);
    for (const { about } of actions) page.line(dryRun ? `would ${about}` : past(about));
  });
  return planned;
}

/** `write X` → `wrote X`, as the other commands tell of what they did. */
function past(about: string): string {
  const forms: Readonly<Record<string, string>> = {
    write: 'wrote',
    replace: 'replaced',
    remove: 'removed',
    enable: 'enabled',
    systemctl: 'did systemctl',
  };
  return about.replace(/^\w+/, (verb) => forms[verb] ?? verb);
}
