/** netkit as a service of systemd: what installing and removing it would do, and doing it. */
import { join } from 'node:path';
import { NetkitError } from '../../base/errors.js';
import { findTool } from '../../host/command.js';
import { packageRoot } from '../../host/package-root.js';
import { isSystemdRunning, isUnitActive, systemctl } from '../../host/systemd.js';
import { refuseUntrusted } from '../../host/trusted-file.js';
import { describeUnitChange, performUnitChanges, type UnitChange } from './changes.js';
import { lookAtUnit, type UnitFile, wantingLink } from './unit-files.js';
import { type Unit, unitsFor } from './units.js';

/** Where an administrator's units are. */
export const usualUnitDir = '/etc/systemd/system';

/** Where systemd looks for the units of the machine, as far as they are anybody's to write. */
const readUnitDirs = [
  usualUnitDir,
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
];

export interface ServicePaths {
  readonly stateDir: string;
  /** Whether it is another one than usual, and so is to be named. */
  readonly stateDirGiven: boolean;
  /** Undefined for the usual one. */
  readonly bpffs: string | undefined;
}

/** The units for the netkit that runs now. @throws NetkitError `failed` when its package is not found */
export function ownUnits({ stateDir, stateDirGiven, bpffs }: ServicePaths): Unit[] {
  return unitsFor({
    node: process.execPath,
    script: ownScript(),
    udevadm: findTool('udevadm'),
    stateDir,
    given: { stateDir: stateDirGiven ? stateDir : undefined, bpffs },
  });
}

function ownScript(): string {
  return join(packageRoot(), 'bin/netkit.js');
}

export interface ServiceChange {
  readonly unitDir: string;
  readonly files: readonly UnitFile[];
  readonly changes: readonly UnitChange[];
  /** What systemctl is told, each with its words. */
  readonly before: readonly (readonly string[])[];
  readonly after: readonly (readonly string[])[];
}

export interface ServiceOptions {
  readonly unitDir: string;
  /** Start or stop as well. */
  readonly now: boolean;
  readonly signal: AbortSignal;
}

/**
 * What installing would do; nothing where all is as it should be.
 * @throws NetkitError `conflict` for units of others by these names, `unsupported` to start them without systemd,
 * `not-permitted` when somebody else could write the program that root's service would run
 */
export async function planInstall(
  units: readonly Unit[],
  { unitDir, now, signal }: ServiceOptions,
): Promise<ServiceChange> {
  if (now) requireSystemd(unitDir, 'started');
  for (const path of [process.execPath, ownScript()]) refuseUntrusted(path, 'program');
  const files = units.map((unit) => lookAtUnit(unitDir, unit));
  for (const { path, reason } of files) if (reason !== undefined) throw notOurs(path, reason);
  const changes = files.flatMap((file) => [...writing(file), ...enabling(unitDir, file)]);
  const after = changes.length > 0 && isRead(unitDir) ? [['daemon-reload']] : [];
  if (!now) return { unitDir, files, changes, before: [], after };
  const renewed = files.filter(({ state }) => state !== 'current').map(({ name }) => name);
  const same = files.filter(({ state }) => state === 'current').map(({ name }) => name);
  const active = await Promise.all(same.map((name) => isUnitActive(name, signal)));
  const stopped = same.filter((_, index) => active[index] !== true);
  return {
    unitDir,
    files,
    changes,
    before: [],
    after: [
      ...after,
      ...(renewed.length > 0 ? [['restart', ...renewed]] : []),
      ...(stopped.length > 0 ? [['start', ...stopped]] : []),
    ],
  };
}

/**
 * What removing would do. Files of others stay.
 * @throws NetkitError `conflict` when there are such alone, `not-found` when there are none, `unsupported` to stop them
 * without systemd
 */
export async function planUninstall(
  units: readonly Unit[],
  { unitDir, now, signal }: ServiceOptions,
): Promise<ServiceChange> {
  if (now) requireSystemd(unitDir, 'stopped');
  const files = units.map((unit) => lookAtUnit(unitDir, unit));
  const own = files.filter(
    ({ state, links }) => state !== 'foreign' && (state !== 'absent' || links.length > 0),
  );
  if (own.length === 0) {
    const foreign = files.find(({ reason }) => reason !== undefined);
    if (foreign?.reason !== undefined) throw notOurs(foreign.path, foreign.reason);
    throw new NetkitError('not-found', `no unit of netkit is in '${unitDir}'`, { details: { unitDir } });
  }
  const active = now ? await Promise.all(own.map(({ name }) => isUnitActive(name, signal))) : [];
  const running = own.filter((_, index) => active[index] === true).map(({ name }) => name);
  return {
    unitDir,
    files,
    changes: own.flatMap(({ path, present, links }): UnitChange[] => [
      ...links.map((link) => ({ kind: 'disable', link }) as const),
      ...(present === undefined ? [] : [{ kind: 'remove', path, before: present } as const]),
    ]),
    before: running.length > 0 ? [['stop', ...running]] : [],
    after: isRead(unitDir) ? [['daemon-reload']] : [],
  };
}

/** What the plan does, a line each. */
export function describeServiceChange({
  before,
  changes,
  after,
}: ServiceChange): { kind: string; about: string }[] {
  const told = (words: readonly string[]) => ({ kind: 'systemctl', about: `systemctl ${words.join(' ')}` });
  return [
    ...before.map(told),
    ...changes.map((change) => ({ kind: change.kind, about: describeUnitChange(change) })),
    ...after.map(told),
  ];
}

/**
 * Does it. Files are as before when one of them cannot be changed; what systemctl refuses afterwards is told, and the
 * files stay changed.
 * @throws NetkitError
 */
export async function performServiceChange(
  { before, changes, after }: ServiceChange,
  signal: AbortSignal,
): Promise<void> {
  for (const words of before) await systemctl(words, signal);
  performUnitChanges(changes);
  for (const words of after) {
    try {
      await systemctl(words, signal);
    } catch (error) {
      if (!(error instanceof NetkitError) || error.code !== 'tool-failed') throw error;
      const [unit] = words.slice(1);
      throw new NetkitError('tool-failed', `the files are changed, but ${error.message}`, {
        hint: unit === undefined ? undefined : `systemctl status ${unit}, or journalctl -u ${unit}`,
        details: error.details,
        cause: error,
      });
    }
  }
}

function writing({ state, path, text, present }: UnitFile): UnitChange[] {
  return state === 'current' ? [] : [{ kind: 'write', path, text, before: present }];
}

function enabling(unitDir: string, { name, links }: UnitFile): UnitChange[] {
  return links.length > 0 ? [] : [{ kind: 'enable', link: wantingLink(unitDir, name) }];
}

function isRead(unitDir: string): boolean {
  return isSystemdRunning() && readUnitDirs.includes(unitDir);
}

function requireSystemd(unitDir: string, verb: string): void {
  if (!isSystemdRunning())
    throw new NetkitError('unsupported', `nothing can be ${verb}: systemd does not run here`, {
      hint: 'without --now the files alone are changed',
    });
  if (!readUnitDirs.includes(unitDir))
    throw new NetkitError(
      'usage',
      `nothing can be ${verb} from '${unitDir}': systemd does not read units there`,
    );
}

function notOurs(path: string, reason: string): NetkitError {
  return new NetkitError('conflict', `'${path}' ${reason}`, {
    hint: 'netkit leaves it as it is: remove it, or name another folder with --unit-dir',
    details: { path },
  });
}
