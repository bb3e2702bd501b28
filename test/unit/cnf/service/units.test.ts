import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { unitCommand, unitWord } from '../../../../src/cnf/service/unit-words.js';
import { type ServiceSetting, unitMarker, unitNames, unitsFor } from '../../../../src/cnf/service/units.js';

const usual: ServiceSetting = {
  node: '/usr/bin/node',
  script: '/usr/lib/node_modules/netkit/bin/netkit.js',
  udevadm: '/usr/bin/udevadm',
  stateDir: '/var/lib/netkit',
  given: { stateDir: undefined, bpffs: undefined },
};

/** The values of a setting of a unit, in order. */
function valuesOf(setting: ServiceSetting, name: (typeof unitNames)[number], key: string): string[] {
  const text = unitsFor(setting).find((unit) => unit.name === name)?.text ?? '';
  return text.split('\n').flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []));
}

describe('the units', () => {
  const run = '/usr/bin/node /usr/lib/node_modules/netkit/bin/netkit.js';

  it('run reconcile at boot, the watch afterwards, and snapshot when that is stopped', () => {
    expect(unitsFor(usual).map(({ name }) => name)).toEqual(unitNames);
    expect(valuesOf(usual, 'netkit-reconcile.service', 'ExecStart')).toEqual([`${run} reconcile`]);
    expect(valuesOf(usual, 'netkit-watch.service', 'ExecStart')).toEqual([`${run} reconcile --watch`]);
    expect(valuesOf(usual, 'netkit-watch.service', 'ExecStop')).toEqual([`${run} snapshot`]);
    expect(valuesOf(usual, 'netkit-watch.service', 'After')[0]).toContain(' netkit-reconcile.service');
  });

  it('begin with the line by which netkit knows its own, and differ in nothing when made again', () => {
    for (const { text } of unitsFor(usual)) expect(text.startsWith(unitMarker)).toBe(true);
    expect(unitsFor(usual)).toEqual(unitsFor(structuredClone(usual)));
  });

  it('carry the folders that were given, and wait for what they are mounted on', () => {
    const given = { stateDir: '/srv/net kit', bpffs: '/srv/bpf' };
    const setting = { ...usual, stateDir: given.stateDir, given };
    const options = '--state-dir "/srv/net kit" --bpffs /srv/bpf';
    const script = '/usr/bin/node /usr/lib/node_modules/netkit/bin/netkit.js';
    expect(valuesOf(setting, 'netkit-watch.service', 'ExecStop')).toEqual([`${script} ${options} snapshot`]);
    expect(valuesOf(setting, 'netkit-reconcile.service', 'RequiresMountsFor')).toEqual([
      `"/srv/net kit" /srv/bpf ${script}`,
    ]);
  });

  it('do not wait for udev where there is none', () => {
    expect(valuesOf(usual, 'netkit-reconcile.service', 'ExecStartPre')).toEqual([
      '-/usr/bin/udevadm settle --timeout=10',
    ]);
    const without = { ...usual, udevadm: undefined };
    expect(valuesOf(without, 'netkit-reconcile.service', 'ExecStartPre')).toEqual([]);
  });

  it('have none of the options that take away what netkit needs', () => {
    const forbidden =
      /^(Protect|Private|ReadOnly|ReadWrite|Inaccessible|TemporaryFileSystem|BindPaths|MemoryDenyWriteExecute|SystemCallFilter|Device|IPAddress|DynamicUser|User)/m;
    for (const { text } of unitsFor(usual)) expect(text).not.toMatch(forbidden);
  });
});

describe('a word of a unit', () => {
  it.each([
    ['/usr/bin/node', '/usr/bin/node'],
    ['/a b', '"/a b"'],
    ['/100%', '/100%%'],
    ['/a"b\\c', '"/a\\"b\\\\c"'],
    ['/a\nb', '"/a\\x0ab"'],
    ["/it's", '"/it\'s"'],
    ['/ü', '"/ü"'],
    ['', '""'],
  ])('%j is written %s', (text, word) => {
    expect(unitWord(text)).toBe(word);
  });

  it('keeps a dollar in arguments, where systemd would look for a variable', () => {
    expect(unitCommand('/a$b', ['$HOME', 'x'])).toBe('/a$b $$HOME x');
  });
});

describe('systemd', () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'netkit-units-'));
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  /** What systemd has to say against the units: on standard error, and often with status 0. */
  function objections(setting: ServiceSetting): string {
    const paths = unitsFor(setting).map(({ name, text }) => {
      writeFileSync(join(root, name), text);
      return join(root, name);
    });
    const env = { ...process.env, SYSTEMD_LOG_LEVEL: 'info', SYSTEMD_LOG_TARGET: 'console' };
    const { stdout, stderr, error } = spawnSync('systemd-analyze', ['verify', ...paths], {
      encoding: 'utf8',
      env,
    });
    if (error !== undefined) throw error;
    return stdout + stderr;
  }

  /** @param ofNode the folder of the program itself */
  function placed(folder: string, ofNode = folder): ServiceSetting {
    for (const each of [folder, ofNode]) mkdirSync(join(root, each), { recursive: true });
    const node = join(root, ofNode, 'node');
    symlinkSync(process.execPath, node);
    const script = join(root, folder, 'netkit.js');
    const stateDir = join(root, folder, 'state');
    return { node, script, udevadm: undefined, stateDir, given: { stateDir, bpffs: join(root, folder) } };
  }

  it.each(['plain', 'with space', '100%n', 'dollar$HOME', '${x}', 'ünï;#'])(
    'finds nothing wrong with units for a folder called %s',
    (folder) => {
      expect(objections(placed(folder))).toBe('');
    },
  );

  it.each(['a"quote', "an'apostrophe", 'back\\slash'])(
    'finds nothing wrong with units for a folder called %s, in which no program may be',
    (folder) => {
      expect(objections(placed(folder, 'plain'))).toBe('');
      const refused = { ...usual, node: join(root, folder, 'node') };
      expect(() => unitsFor(refused)).toThrow(`systemd starts no program of this path: '${refused.node}'`);
    },
  );

  it('would say what is wrong', () => {
    expect(objections({ ...placed('plain'), node: join(root, 'nothing') })).toMatch(
      /nothing is not executable/,
    );
    expect(objections({ ...placed('other'), node: 'no/path' })).toMatch(/no\/path/);
  });
});
