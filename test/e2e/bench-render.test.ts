import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/host/package-root.js';
import { netkit, netkitPath } from '../support/cli.js';
import { expectValid } from '../support/schema.js';

const fixtures = join(packageRoot(), 'test/fixtures/bench');

describe('netkit bench render', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'netkit-render-'));
    for (const name of ['drop', 'rules', 'latency'])
      copyFileSync(join(fixtures, `${name}.json`), join(folder, `${name}.json`));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const run = (...args: string[]) => netkit(['bench', 'render', ...args], { cwd: folder });
  const text = (name: string) => readFileSync(join(folder, name), 'utf8');

  it.each(['drop', 'rules', 'latency'])(
    'shows %s in a terminal view, and as its document with --json',
    (name) => {
      const shown = run(`${name}.json`);
      expect(shown).toMatchObject({ status: 0, stderr: '' });
      expect(shown.stdout).toMatch(/VERDICT/);
      expect(shown.stdout).toMatch(/^\S.* #+ +[\d.,]+ +\[/m);
      const json = run(`${name}.json`, '--json');
      expect(json.status).toBe(0);
      expectValid('bench render', json.json());
      expect(json.json()).toEqual(JSON.parse(text(`${name}.json`)));
    },
  );

  it('writes every format, and the same bytes again from what it wrote', () => {
    const names = ['drop.html', 'copy.json', 'drop.csv', 'drop.md'];
    const first = run('drop.json', ...names.flatMap((name) => ['--report', name]));
    expect(first).toMatchObject({
      status: 0,
      stderr: '',
      stdout: names.map((name) => `wrote ${name}\n`).join(''),
    });
    expect(text('copy.json')).toBe(text('drop.json'));
    expect(text('drop.html')).toMatch(/^<!doctype html>/);
    expect(text('drop.csv').split('\r\n')).toHaveLength(11 * 24 + 2);
    expect(text('drop.md')).toMatch(/^## How many packets/);
    expect(run('drop.html', '--report', 'again.html', '--report', 'again.json')).toMatchObject({
      status: 0,
      stderr: '',
    });
    expect(text('again.html') === text('drop.html')).toBe(true);
    expect(text('again.json')).toBe(text('drop.json'));
    // What --json printed is the same document.
    writeFileSync(join(folder, 'printed.json'), run('drop.json', '--json').stdout);
    expect(run('printed.json', '--report', 'printed.html').status).toBe(0);
    expect(text('printed.html') === text('drop.html')).toBe(true);
  });

  it('reads from a pipe, and writes to one', () => {
    const command = `cat rules.json | '${process.execPath}' '${netkitPath}' bench render /dev/stdin --quiet --report /dev/stdout`;
    const refused = spawnSync('sh', ['-c', command], { cwd: folder, encoding: 'utf8' });
    expect(refused.stderr).toMatch(/its ending does not tell what to write/);
    symlinkSync('/dev/stdout', join(folder, 'out.md'));
    const written = spawnSync('sh', ['-c', command.replace('/dev/stdout', 'out.md | cat')], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(written.stdout).toMatch(/^## What do many rules cost\?/);
    expect(written.status).toBe(0);
  });

  it.each([
    ['cut.json', (whole: string) => whole.slice(0, 9000), /it is cut off: it ends in line 1, column 9000$/],
    [
      'newer.json',
      (whole: string) => whole.replace('"schemaVersion":1', '"schemaVersion":7'),
      /at schemaVersion: it is 7, and this netkit reads version 1\nhint: a newer netkit wrote it/,
    ],
    [
      'wrong.json',
      (whole: string) => whole.replace('"block":3', '"block":-3'),
      /at groups\[0\]\.variants\[0\]\.samples\[3\]\.block: /,
    ],
    ['empty.json', () => '', /it is empty$/],
    ['other.json', () => '{"hello": 1}', /no document of a benchmark: there is no schemaVersion/],
    ['page.html', () => '<!DOCTYPE html><p>hello', /it is HTML, but no report of netkit bench/],
  ] as const)('refuses %s with its place, and writes nothing', (name, make, message) => {
    writeFileSync(join(folder, name), make(text('drop.json')));
    const before = readdirSync(folder);
    const result = run(name, '--report', 'out.html');
    expect({ status: result.status, stdout: result.stdout }).toEqual({ status: 1, stdout: '' });
    expect(result.stderr.trim()).toMatch(message);
    expect(readdirSync(folder)).toEqual(before);
    expect(run(name, '--json').jsonError()).toMatchObject({ error: { code: 'failed' } });
  });

  it.each([
    [['nosuch.json'], 3, /nosuch\.json/],
    [['.'], 2, /directory/],
    [
      ['drop.json', '--report', 'out.pdf'],
      2,
      /its ending does not tell what to write\nhint: use \.html, \.json, \.csv or \.md/,
    ],
    [['drop.json', '--report', 'nosuch/out.html'], 3, /nosuch/],
    [['drop.json', '--report', 'a.md', '--report', 'a.md'], 2, /named twice/],
    [['drop.json', '--report', 'folder.html'], 2, /it is a folder/],
    [[], 2, /REPORT|missing/],
  ] as const)('refuses %j with status %i', (args, status, message) => {
    mkdirSync(join(folder, 'folder.html'));
    const result = run(...args);
    expect(result.status).toBe(status);
    expect(result.stderr).toMatch(message);
    expect(readdirSync(folder).sort()).toEqual(['drop.json', 'folder.html', 'latency.json', 'rules.json']);
  });

  it('needs no rights: nobody can use it', () => {
    chmodSync(folder, 0o777);
    for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o644);
    const drop = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const result = spawnSync(
      process.execPath,
      [netkitPath, 'bench', 'render', 'drop.json', '--report', 'out.html'],
      {
        ...{ cwd: folder, encoding: 'utf8', ...drop },
      },
    );
    expect(result).toMatchObject({ status: 0, stderr: '' });
    expect(text('out.html')).toMatch(/^<!doctype html>/);
  });

  it('uses blocks and colour on a terminal that has them, and plain signs on one that has not', () => {
    const command = `${process.execPath} ${netkitPath} bench render drop.json`;
    const terminal = (env: Record<string, string>) =>
      spawnSync('script', ['-qec', `stty cols 140; ${command}`, '/dev/null'], {
        cwd: folder,
        encoding: 'utf8',
        env: { PATH: process.env.PATH ?? '', TERM: 'xterm-256color', ...env },
      }).stdout;
    expect(terminal({ LANG: 'C.UTF-8' })).toMatch(/XDP, native .*\p{Cc}\[32m█{28}/u);
    expect(terminal({ LANG: 'C.UTF-8', NO_COLOR: '1' })).toMatch(/XDP, native +█{28}/);
    expect(terminal({ LANG: 'C' })).toMatch(/XDP, native .*#{28}/);
  });

  it('is not read by the start of any other command, and charts only when one is drawn', async () => {
    const opened = async (...args: string[]): Promise<string[]> => {
      const strace = spawn(
        'strace',
        ['-f', '-qq', '-e', 'trace=openat,open', process.execPath, netkitPath, ...args],
        {
          cwd: folder,
          stdio: ['ignore', 'ignore', 'pipe'],
        },
      );
      let said = '';
      strace.stderr.on('data', (chunk) => {
        said += String(chunk);
      });
      await new Promise((resolve) => strace.on('close', resolve));
      return [...new Set([...said.matchAll(/dist\/(\w+)\.cjs/g)].map(([, name]) => name ?? ''))].sort();
    };
    if (spawnSync('strace', ['-V']).status !== 0) {
      // Without strace the sizes tell: what all other commands read has nothing of the charts.
      const rest = readFileSync(join(packageRoot(), 'dist/commands.cjs'), 'latin1');
      expect(/registerCustomSeries|polyline/.test(rest)).toBe(false);
      expect(readFileSync(join(packageRoot(), 'dist/charts.cjs'), 'latin1')).toMatch(/registerCustomSeries/);
      return;
    }
    expect(await opened('version')).not.toContain('bench');
    expect(await opened('bench', 'render', 'drop.json')).not.toContain('charts');
    expect(await opened('bench', 'render', 'drop.json', '--report', 'x.html')).toContain('charts');
  });
});
