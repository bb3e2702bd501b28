import { describe, expect, it } from 'vitest';
import { NetkitError } from '../../../src/base/errors.js';
import { parse } from '../../../src/cli/parse.js';
import { type CommandName, commands } from '../../../src/cli/table/index.js';

function parsed(name: CommandName, ...rest: string[]) {
  const row = commands.find((entry) => entry.name === name);
  if (row === undefined) throw new Error(`no row ${name}`);
  return parse(row, rest);
}

function refusal(name: CommandName, ...rest: string[]): NetkitError {
  try {
    parsed(name, ...rest);
  } catch (error) {
    if (error instanceof NetkitError) return error;
    throw error;
  }
  throw new Error('was accepted');
}

describe('parse', () => {
  it('gives arguments and options under their names in camel case', () => {
    const { args, options } = parsed('load', 'fw.o', '--map-size', 'a=1', '--map-size=b=2', '--persist');
    expect(args).toEqual({ object: 'fw.o' });
    expect(options).toEqual({
      name: undefined,
      set: [],
      mapSize: ['a=1', 'b=2'],
      reuse: [],
      only: [],
      replace: false,
      allowGap: false,
      target: [],
      persist: true,
    });
  });

  it('gives variadic arguments as a list, and clustered short options', () => {
    const { args, options } = parsed('build', 'a.c', '-DX=1', '-D', 'Y', 'b.c', '-o', 'out');
    expect(args).toEqual({ sources: ['a.c', 'b.c'] });
    expect(options).toMatchObject({ define: ['X=1', 'Y'], output: 'out', include: [], watch: false });
  });

  it('reads numbers as numbers and fills in defaults', () => {
    const { options, values } = parsed(
      'prog run',
      'fw',
      '--hex',
      '00',
      '--repeat',
      '5',
      '--lock-timeout',
      '0.5',
    );
    expect(options).toMatchObject({ repeat: 5, limit: undefined, hex: ['00'] });
    expect(values.get('lock-timeout')).toBe(0.5);
    expect(parsed('prog run', 'fw').options).toMatchObject({ repeat: 1 });
    expect(parsed('attach', 'fw', 'eth0').options).toMatchObject({
      ...{ hook: undefined, mode: 'auto', priority: undefined, hold: false },
      ...{ first: false, last: false, before: undefined, after: undefined },
    });
  });

  it('takes a negative number for an argument', () => {
    expect(parsed('map update', 'fw/m', '-5', '-1.5').args).toMatchObject({ key: '-5', value: '-1.5' });
  });

  it('takes anything for an argument after --', () => {
    expect(parsed('map get', '--json', '--', 'fw/m', '--json').args).toEqual({
      reference: 'fw/m',
      key: '--json',
    });
  });

  it('takes an empty value of a map entry, but no empty name', () => {
    expect(parsed('map update', 'fw/m', 'k', '').args).toMatchObject({ value: '' });
    expect(refusal('inspect', '').message).toBe('OBJ is empty');
  });

  it.each([
    ['inspect', [], 'inspect: OBJ is missing'],
    ['inspect', ['a', 'b'], 'inspect: too many arguments'],
    ['load', ['a', '--name'], '--name needs a value'],
    ['load', ['a', '--name', 'b', '--name', 'c'], '--name is given 2 times'],
    ['attach', ['a', 'b', '--mode', 'nativ'], "--mode: 'nativ' is none of native, generic, offload, auto"],
    ['completion', ['sh'], "bash|zsh|fish: 'sh' is none of bash, zsh, fish"],
    ['prog run', ['a', '--hex', '0', '--pcap', 'f'], '--hex and --pcap exclude each other'],
    ['prog run', ['a', '--repeat', '0'], "--repeat: '0' is not a whole number from 1 to 1000000000"],
    ['prog run', ['a', '--repeat', '1e3'], "--repeat: '1e3' is not a whole number from 1 to 1000000000"],
    ['list', ['--lock-timeout', '-1'], "--lock-timeout: '-1' is not a number of seconds from 0 to 86400"],
    ['list', ['--dry-run'], "unknown option '--dry-run'"],
    ['attach', ['a', '--if-exists'], "unknown option '--if-exists'"],
    ['load', ['a', '--nmae', 'x'], "unknown option '--nmae'"],
  ] as const)('refuses netkit %s %j', (name, rest, message) => {
    const error = refusal(name, ...rest);
    expect(error.message).toBe(message);
    expect(error.exitStatus).toBe(2);
  });

  it('suggests what was meant', () => {
    expect(refusal('load', 'a', '--nmae', 'x').hint).toBe("did you mean '--name'?");
    expect(refusal('map get', 'fw/m', '-x').hint).toBe("after '--' a word with a dash is an argument");
    expect(refusal('attach', 'a', 'b', '--mode', 'nativ').hint).toBe("did you mean 'native'?");
  });

  it('suggests of many words the one that was begun, and does not list them all', () => {
    const error = refusal('map create', '/p', '--type', 'lpm');
    expect(error.message).toMatch(/^--type: 'lpm' is none of the \d\d words for it$/);
    expect(error.hint).toBe("did you mean 'lpm_trie'?");
  });

  it.each([
    ['map dump', 'id 12', 'id:12'],
    ['map dump', 'pinned /sys/fs/bpf/m', '/sys/fs/bpf/m'],
    ['map pop', 'name jobs', 'name:jobs'],
    ['prog show', 'id 12', 'id:12'],
    ['map get', 'id 12 key hex 0a 00 00 01', 'id:12 hex:0a000001'],
    ['map update', 'id 12 key hex 8 0 value 255 0x1 noexist', 'id:12 hex:0800 hex:ff01 noexist'],
    ['map update', 'fw/m key hex 08 00 value hex 01 00', 'fw/m hex:0800 hex:0100'],
    ['map push', 'pinned /p value 7 0 0 0', '/p hex:07000000'],
    ['prog dump', 'xlated id 7', 'id:7'],
    ['prog dump', 'xlated id 7 opcodes linum', 'id:7 --opcodes'],
    ['prog dump', 'xlated pinned /p/x visual', '/p/x --visual dot'],
    ['prog dump', 'jited name fw file out', 'name:fw --native -o out'],
    ['btf dump', 'id 5', 'id:5'],
    ['btf dump', 'file x.o format raw', 'x.o --raw'],
    ['btf dump', 'id 5 format c', 'id:5'],
  ] as const)('says how netkit writes bpftool %s %s', (name, rest, own) => {
    expect(refusal(name, ...rest.split(' ')).hint).toBe(`netkit ${name} ${own}`);
  });

  it('says nothing of bpftool where only too much was given', () => {
    expect(refusal('map get', 'fw/m', 'a', 'b').hint).toBe('netkit map get --help explains the command');
    expect(refusal('inspect', 'id', '12').hint).toBe('netkit inspect --help explains the command');
  });
});
