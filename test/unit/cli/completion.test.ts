import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { bashScript } from '../../../src/cli/completion/bash.js';
import { fishScript } from '../../../src/cli/completion/fish.js';
import { zshScript } from '../../../src/cli/completion/zsh.js';
import { describeWith } from '../../support/requirements.js';

const folder = mkdtempSync(join(tmpdir(), 'netkit-completion-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const danger = '$(touch pwned)';
for (const path of [
  'fw/progs/firewall',
  'fw/maps/stats',
  'fw/links/eth0',
  'lb/maps/backends',
  `${danger}/maps/m`,
]) {
  mkdirSync(join(folder, 'bpf/netkit', path, '..'), { recursive: true });
  writeFileSync(join(folder, 'bpf/netkit', path), '');
}
mkdirSync(join(folder, 'work/sub'), { recursive: true });
for (const name of ['a.bpf.o', 'b.bpf.c', 'c.txt', 'd.pcap']) writeFileSync(join(folder, 'work', name), '');

function run(program: string, args: readonly string[], script = ''): string[] {
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    input: script,
    timeout: 30_000,
    cwd: join(folder, 'work'),
    env: { PATH: process.env.PATH, HOME: folder, TERM: 'dumb', NETKIT_BPFFS: join(folder, 'bpf') },
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .sort();
}

/** What bash offers for the last of `words`, cut as bash cuts them. */
function bash(...words: string[]): string[] {
  const list = ['netkit', ...words].map((word) => `'${word}'`).join(' ');
  const script = `${bashScript()}\nCOMP_WORDS=(${list})\nCOMP_CWORD=${words.length}\n_netkit || true\nprintf '%s\\n' "\${COMPREPLY[@]}"\n`;
  return run('bash', ['--norc', '-s'], script);
}

/** What fish offers. */
function fish(...words: string[]): string[] {
  const line = ['netkit', ...words].join(' ');
  const answers = run('fish', ['--no-config', '-c', `${fishScript()}\ncomplete -C '${line}'\n`]);
  return answers.map((answer) => answer.split('\t')[0] ?? '');
}

/** What zsh offers: the real function, with those that talk to its line editor replaced by ones that print. */
function zsh(...words: string[]): string[] {
  const list = ['netkit', ...words].map((word) => `'${word}'`).join(' ');
  const script = `compdef() { : }
${zshScript()}
compset() { PREFIX=\${PREFIX#*=} }
compadd() { shift; local name; for name; do [[ $name == $PREFIX* ]] && print -r -- $name; done; return 0 }
_describe() { local name=\${@[-1]}; compadd -- \${\${(P)name}%%:*} }
_files() { print -r -- "files $*" }
words=(${list})
CURRENT=${words.length + 1}
PREFIX=$words[CURRENT]
_netkit
true
`;
  return run('zsh', ['-f', '-s'], script);
}

const asked = [
  { words: ['map', 'up'], offers: ['update'] },
  { words: ['--json', 'map', 'de'], offers: ['delete'] },
  { words: ['--bpffs', 'list', 'unl'], offers: ['unload'] },
  { words: ['help', 'map', 'sh'], offers: ['show'] },
  { words: ['attach', 'fw', 'eth0', '--ho'], offers: ['--hold', '--hook'] },
  { words: ['attach', 'fw', 'eth0', '--mode', 'g'], offers: ['generic'] },
  { words: ['completion', 'z'], offers: ['zsh'] },
  { words: ['unload', ''], offers: ['fw', 'lb'] },
  { words: ['attach', 'f'], offers: ['fw', 'fw/firewall'] },
  { words: ['map', 'get', ''], offers: ['fw/stats', 'lb/backends'] },
  { words: ['map', 'update', 'fw/stats', '1', '2', 'no'], offers: ['noexist'] },
  { words: ['link', 'show', 'fw/'], offers: ['fw/eth0'] },
  { words: ['attach', 'fw', 'l'], offers: ['lo'] },
  { words: ['attach', 'fw', '--netns', 'x', 'l'], offers: ['lo'] },
  { words: ['load', 'x.o', '--set', ''], offers: [] },
] as const;

describe('completion for bash', () => {
  it.each(asked)('offers $offers after $words', ({ words, offers }) => {
    expect(bash(...words)).toEqual(offers);
  });

  it('completes the value after =, where bash cuts the word', () => {
    expect(bash('attach', 'fw', '--mode', '=', 'n')).toEqual(['native']);
    expect(bash('attach', 'fw', '--mode', '=')).toEqual(['auto', 'generic', 'native', 'offload']);
    expect(bash('load', 'a.o', '--set', 'x', '=', '5', '--pers')).toEqual(['--persist']);
  });

  it('offers files of the kind that is wanted', () => {
    expect(bash('inspect', '')).toEqual(['a.bpf.o', 'sub']);
    expect(bash('build', '')).toEqual(['b.bpf.c', 'sub']);
    expect(bash('build', 'b.bpf.c', '')).toEqual(['b.bpf.c', 'sub']);
    expect(bash('build', '-I', '')).toEqual(['sub']);
    expect(bash('prog', 'run', 'fw', '--pcap', '')).toEqual(['d.pcap', 'sub']);
  });

  it('runs nothing that a name in the bpffs could contain', () => {
    expect(bash('map', 'get', '').join()).not.toContain('touch');
    expect(readdirSync(join(folder, 'work'))).not.toContain('pwned');
  });
});

describeWith({ tools: ['shellcheck'] }, 'shellcheck', () => {
  it('accepts the script for bash', () => {
    expect(run('shellcheck', ['-s', 'bash', '-'], bashScript())).toEqual([]);
  });
});

describeWith({ tools: ['fish'] }, 'completion for fish', () => {
  it.each(asked)('offers $offers after $words', ({ words, offers }) => {
    expect(fish(...words)).toEqual(offers);
  });

  it('completes the value after =', () => {
    expect(fish('attach', 'fw', '--mode=n')).toEqual(['--mode=native']);
  });
});

describeWith({ tools: ['zsh'] }, 'completion for zsh', () => {
  it.each(asked)('offers $offers after $words', ({ words, offers }) => {
    expect(zsh(...words)).toEqual(offers);
  });

  it('completes the value after =', () => {
    expect(zsh('attach', 'fw', '--mode=n')).toEqual(['native']);
  });

  it('offers files of the kind that is wanted', () => {
    expect(zsh('inspect', '')).toEqual(['files -g *.o']);
    expect(zsh('build', '-I', '')).toEqual(['files -/']);
  });
});
