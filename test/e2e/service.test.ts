// netkit as a service of systemd, in folders of the test's own; systemd itself is imitated where it would have to run.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { documents } from '../../src/cli/schema/documents.js';
import { packageRoot } from '../../src/host/package-root.js';
import { CliResult, netkit, netkitPath } from '../support/cli.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { documentOf, fixture, makeGround } from './ground.js';

const unitNames = ['netkit-reconcile.service', 'netkit-watch.service'];

describeAsRoot('netkit service', () => {
  /** Stands for the root of a file system. */
  let root: string;
  let unitDir: string;

  expectUnchangedAfterAll();
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'netkit-service-'));
    unitDir = join(root, 'etc/systemd/system');
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  function service(...words: string[]): CliResult {
    return netkit(['service', ...words, '--unit-dir', unitDir]);
  }

  function does(...words: string[]): CliResult {
    return expectStatus(0, service(...words));
  }

  /** All below the root, with what is in it. */
  function everything(): string[] {
    return readdirSync(root, { recursive: true, encoding: 'utf8' })
      .sort()
      .map((name) => {
        const path = join(root, name);
        const found = lstatSync(path);
        const content = found.isSymbolicLink()
          ? readlinkSync(path)
          : found.isFile()
            ? readFileSync(path, 'utf8')
            : '';
        return `${name} ${found.mode.toString(8)} ${content}`;
      });
  }

  /** Whether systemd would start them, and whether it understands them. */
  function expectGood(): void {
    const enabled = spawnSync('systemctl', [`--root=${root}`, 'is-enabled', ...unitNames], {
      encoding: 'utf8',
    });
    expect(`${enabled.stdout}${enabled.stderr}`).toBe('enabled\nenabled\n');
    const paths = unitNames.map((name) => join(unitDir, name));
    const verified = spawnSync('systemd-analyze', ['verify', ...paths], {
      encoding: 'utf8',
      env: { ...process.env, SYSTEMD_LOG_TARGET: 'console' },
    });
    expect(`${verified.status} ${verified.stdout}${verified.stderr}`).toBe('0 ');
  }

  it('installs units that systemd takes, once, and uninstalls them without a trace', () => {
    mkdirSync(unitDir, { recursive: true });
    const before = everything();
    const said = does('install');
    expect(said.stdout).toBe(
      unitNames
        .map(
          (name) =>
            `wrote ${unitDir}/${name}\nenabled it by the link ${unitDir}/multi-user.target.wants/${name}\n`,
        )
        .join(''),
    );
    expectGood();
    for (const name of unitNames) expect(statSync(join(unitDir, name)).mode & 0o777).toBe(0o644);
    const installed = everything();
    expect(does('install').stdout).toBe('it is installed already\n');
    expect(everything()).toEqual(installed);
    expect(does('uninstall').stdout).toContain(`removed ${unitDir}/netkit-watch.service\n`);
    expect(everything()).toEqual(before);
  });

  it('agrees with systemctl about what is enabled, and removes the links that this makes', () => {
    does('install');
    for (const verb of ['disable', 'enable']) {
      const done = spawnSync('systemctl', [`--root=${root}`, verb, ...unitNames], { encoding: 'utf8' });
      expect(`${done.status}`, done.stderr).toBe('0');
      const shown = documentOf(documents['service show'], does('show', '--json'));
      expect(shown.units.map(({ enabled }) => enabled)).toEqual(Array(2).fill(verb === 'enable'));
    }
    expect(does('install').stdout).toBe('it is installed already\n');
    does('uninstall');
    expect(readdirSync(unitDir)).toEqual([]);
  });

  it('writes nothing in a dry run, and says what it would', () => {
    const planned = documentOf(documents['service install'], does('install', '--dry-run', '--json'));
    expect(planned.actions.map(({ kind }) => kind)).toEqual(['write', 'enable', 'write', 'enable']);
    expect(everything()).toEqual([]);
    does('install');
    const installed = everything();
    expect(does('uninstall', '--dry-run').stdout).toContain(`would remove ${unitDir}/netkit-watch.service`);
    expect(everything()).toEqual(installed);
  });

  it('names the folders that it is given, Node and itself, by their whole paths', () => {
    netkit(['service', 'install', '--unit-dir', 'units', '--state-dir', 'my state'], {
      cwd: root,
      env: { NETKIT_BPFFS: '/srv/bpf' },
    });
    const text = readFileSync(join(root, 'units/netkit-watch.service'), 'utf8');
    const options = `--state-dir "${root}/my state" --bpffs /srv/bpf`;
    expect(text).toContain(`\nExecStart=${process.execPath} ${netkitPath} ${options} reconcile --watch\n`);
  });

  it('renews what it wrote with another setting, and shows that it is to be renewed', () => {
    expectStatus(0, netkit(['service', 'install', '--unit-dir', unitDir, '--state-dir', '/srv/state']));
    expect(does('show').stdout).toContain(
      "netkit-watch.service: installed, but different: 'netkit service install' renews it\n",
    );
    expect(does('install').stdout).toContain(`replaced ${unitDir}/netkit-watch.service\n`);
    const shown = documentOf(documents['service show'], does('show', '--json'));
    expect(shown.units.map(({ state, enabled }) => ({ state, enabled }))).toEqual(
      Array(2).fill({ state: 'current', enabled: true }),
    );
    for (const { path, text } of shown.units) expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it.each([
    [
      'a file',
      (path: string) => writeFileSync(path, '[Unit]\n'),
      "was not written by 'netkit service install'",
    ],
    ['a mask', (path: string) => symlinkSync('/dev/null', path), 'masks it'],
    ['a link', (path: string) => symlinkSync('elsewhere.service', path), 'is a link of somebody else'],
    ['a folder', (path: string) => mkdirSync(path), 'is no file'],
  ])('leaves %s of somebody else as it is', (_, make, reason) => {
    mkdirSync(unitDir, { recursive: true });
    const path = join(unitDir, 'netkit-watch.service');
    make(path);
    const before = everything();
    expect(expectStatus(5, service('install')).stderr).toContain(`netkit: '${path}' ${reason}\nhint: `);
    expect(expectStatus(5, service('uninstall')).stderr).toContain(`netkit: '${path}' ${reason}\n`);
    expect(does('show').stdout).toContain(`netkit-watch.service: not installed: what is there ${reason}\n`);
    expect(everything()).toEqual(before);
  });

  it('removes its own beside one of somebody else, and says that this stays', () => {
    does('install');
    const path = join(unitDir, 'netkit-reconcile.service');
    writeFileSync(path, '[Unit]\n');
    expect(does('uninstall').stderr).toContain(`warning: '${path}' was not written by`);
    expect(existsSync(path)).toBe(true);
    expect(existsSync(join(unitDir, 'netkit-watch.service'))).toBe(false);
  });

  it('says that there is nothing to remove, unless that is all right', () => {
    expect(expectStatus(3, service('uninstall')).stderr).toBe(
      `netkit: no unit of netkit is in '${unitDir}'\n`,
    );
    expect(does('uninstall', '--if-exists').stdout).toBe('nothing is installed\n');
    expect(everything()).toEqual([]);
  });

  it('undoes what it did when it cannot go on', () => {
    const wants = join(unitDir, 'multi-user.target.wants');
    mkdirSync(wants, { recursive: true });
    writeFileSync(join(wants, 'netkit-watch.service'), 'of somebody else');
    const before = everything();
    expect(expectStatus(5, service('install')).stderr).toContain("netkit-watch.service' is somebody else's");
    expect(everything()).toEqual(before);
    rmSync(unitDir, { recursive: true });
    writeFileSync(unitDir, 'no folder');
    expectStatus(3, service('install'));
    expect(readFileSync(unitDir, 'utf8')).toBe('no folder');
  });

  it('refuses to have root run what another user can change', () => {
    const folder = join(root, 'netkit');
    mkdirSync(folder);
    for (const name of ['bin', 'dist', 'package.json'])
      cpSync(join(packageRoot(), name), join(folder, name), { recursive: true, verbatimSymlinks: true });
    const script = join(folder, 'bin/netkit.js');
    const words = [script, 'service', 'install', '--unit-dir', unitDir];
    const run = () =>
      spawnSync(process.execPath, words, { encoding: 'utf8', env: { PATH: process.env.PATH } });
    chmodSync(script, 0o666);
    const refused = run();
    expect(`${refused.status} ${refused.stderr}`).toMatch(/^4 netkit: .*netkit\.js/);
    chmodSync(script, 0o644);
    chownSync(dirname(script), 12_345, 0);
    expect(run().status).toBe(4);
    expect(existsSync(unitDir)).toBe(false);
    chownSync(dirname(script), 0, 0);
    expect(run().status).toBe(0);
  });

  /** Runs netkit with a /run and a folder of units of its own, where systemd seems to run or not, and records what systemctl is told. */
  function inMachine(options: { systemd: boolean; active?: string; fails?: string }, ...words: string[]) {
    const bin = join(root, 'bin');
    const log = join(root, 'systemctl.log');
    mkdirSync(bin, { recursive: true });
    mkdirSync(unitDir, { recursive: true });
    writeFileSync(log, '');
    writeFileSync(
      join(bin, 'systemctl'),
      `#!/bin/sh
case "$*" in
  is-active*) case "$ACTIVE" in *"$3"*) exit 0;; *) exit 3;; esac;;
esac
echo "$*" >>"$LOG"
case "$2" in "$FAILS") echo "Job failed." >&2; exit 1;; esac
`,
      { mode: 0o755 },
    );
    const script = `mount -t tmpfs tmpfs /run && ${options.systemd ? 'mkdir -p /run/systemd/system &&' : ''} mkdir -p /etc/systemd/system &&
      mount --bind "$UNITS" /etc/systemd/system && exec "$@"`;
    const command = [process.execPath, netkitPath, 'service', ...words];
    const { status, stdout, stderr } = spawnSync(
      'unshare',
      ['--mount', 'sh', '-c', script, 'sh', ...command],
      {
        encoding: 'utf8',
        env: {
          PATH: `${bin}:${process.env.PATH}`,
          UNITS: unitDir,
          LOG: log,
          ACTIVE: options.active ?? '',
          FAILS: options.fails ?? '',
        },
      },
    );
    const told = readFileSync(log, 'utf8').replaceAll('--no-ask-password ', '').split('\n').slice(0, -1);
    return { result: new CliResult(status ?? -1, stdout, stderr), told };
  }

  it('does without systemd what needs none, says so, and starts nothing', () => {
    const nowhere = inMachine({ systemd: false }, 'install', '--now');
    expect(expectStatus(6, nowhere.result).stderr).toBe(
      'netkit: nothing can be started: systemd does not run here\nhint: without --now the files alone are changed\n',
    );
    expect(readdirSync(unitDir)).toEqual([]);
    const { result, told } = inMachine({ systemd: false }, 'install');
    expect(expectStatus(0, result).stderr).toBe(
      'netkit: systemd does not run here: the units are for the next boot with it\n',
    );
    expect(told).toEqual([]);
    expectGood();
    expectStatus(6, inMachine({ systemd: false }, 'uninstall', '--now').result);
    expectStatus(0, inMachine({ systemd: false }, 'uninstall').result);
    expect(readdirSync(unitDir)).toEqual([]);
  });

  it('has systemd read, start, renew and stop the units', () => {
    const [reconcile = '', watch = ''] = unitNames;
    const both = unitNames.join(' ');
    const told = (options: { active?: string }, ...words: string[]) => {
      const done = inMachine({ systemd: true, ...options }, ...words);
      expectStatus(0, done.result);
      return done.told;
    };
    expect(told({}, 'install')).toEqual(['daemon-reload']);
    expect(told({}, 'install')).toEqual([]);
    expect(told({ active: reconcile }, 'install', '--now')).toEqual([`start ${watch}`]);
    expect(told({ active: both }, 'install', '--now')).toEqual([]);
    expect(told({ active: both }, 'install', '--now', '--state-dir', '/srv/state')).toEqual([
      'daemon-reload',
      `restart ${both}`,
    ]);
    expect(told({ active: both }, 'install', '--now', '--dry-run')).toEqual([]);
    expect(told({ active: both }, 'uninstall', '--now')).toEqual([`stop ${both}`, 'daemon-reload']);
    expect(told({}, 'install', '--now')).toEqual(['daemon-reload', `restart ${both}`]);
    const left = inMachine({ systemd: true, active: watch }, 'uninstall');
    expect(left.result.stderr).toContain(`${watch} still runs: 'systemctl stop ${watch}' stops it`);
    expect(left.told).toEqual(['daemon-reload']);
  });

  it('says what systemd refused, and leaves the units to be looked at', () => {
    const { result } = inMachine({ systemd: true, fails: 'restart' }, 'install', '--now');
    expect(expectStatus(1, result).stderr).toBe(
      `netkit: the files are changed, but 'systemctl restart ${unitNames.join(' ')}' failed: Job failed.\n` +
        `hint: systemctl status ${unitNames[0]}, or journalctl -u ${unitNames[0]}\n`,
    );
    expectGood();
  });

  it('starts nothing from a folder that systemd does not read', () => {
    const { result } = inMachine({ systemd: true }, 'install', '--now', '--unit-dir', join(root, 'units'));
    expect(expectStatus(2, result).stderr).toContain('systemd does not read units there');
    expect(existsSync(join(root, 'units'))).toBe(false);
    const written = inMachine({ systemd: true }, 'install', '--unit-dir', join(root, 'units'));
    expectStatus(0, written.result);
    expect(written.told).toEqual([]);
  });

  it('keeps the rights that netkit needs to load, attach, look and bring back, also in another namespace', () => {
    using ground = makeGround();
    const unit = does('show').stdout;
    const names = /^CapabilityBoundingSet=(.*)$/m.exec(unit)?.[1]?.toLowerCase().split(' ') ?? [];
    const set = ['-all', ...names.map((name) => `+${name.replace(/^cap_/, '')}`)].join(',');
    const bounded = (...words: string[]): void => {
      const command = ['--bounding-set', set, '--no-new-privs', process.execPath, netkitPath, ...words];
      const { status, stderr } = spawnSync('setpriv', command, {
        encoding: 'utf8',
        env: { PATH: process.env.PATH, ...ground.env },
      });
      expect(`${status} ${stderr}`, words.join(' ')).toBe('0 ');
    };
    bounded('load', fixture('pass'), '--name', 'one', '--persist');
    bounded('attach', 'one', ...ground.place, '--direct');
    bounded('list');
    bounded('net', ...ground.place);
    bounded('link', 'list', '--all');
    bounded('map', 'list', '--all');
    bounded('detach', 'one');
    bounded('recover');
    bounded('unload', 'one');
  });
});

function expectStatus(status: number, result: CliResult): CliResult {
  expect(result.status, result.stdout + result.stderr).toBe(status);
  return result;
}
