import { describe, expect, it } from 'vitest';
import { main } from '../../../src/cli/main.js';
import { commands } from '../../../src/cli/table/index.js';
import { netkitVersion } from '../../../src/cli/version.js';
import { FakeIo } from './fake-io.js';

async function run(...argv: string[]) {
  const io = new FakeIo();
  const status = await main(argv, io);
  return { status, out: io.out, err: io.err };
}

describe('netkit', () => {
  it('without a command prints the help on standard error and ends with 2', async () => {
    const { status, out, err } = await run();
    expect(status).toBe(2);
    expect(out).toBe('');
    expect(err).toContain('Usage: netkit COMMAND');
  });

  it('with a group alone does the same for the group', async () => {
    const { status, err } = await run('map');
    expect(status).toBe(2);
    expect(err).toContain('Usage: netkit map COMMAND');
  });

  it('with a group alone and --json says which command is missing as JSON', async () => {
    const { status, err } = await run('map', '--json');
    expect(status).toBe(2);
    expect(JSON.parse(err)).toEqual({
      error: {
        code: 'usage',
        message: 'netkit map: a command is missing',
        hint: 'one of: list, show, create, pin, freeze, get, lookup, update, delete, push, pop, peek, dump, export, import, diff, copy, watch',
        details: {},
      },
      schemaVersion: 1,
    });
  });

  it.each([[['--help']], [['-h']], [['help']], [['--json', '--help']]])(
    '%j prints the help on standard output and ends with 0',
    async (argv) => {
      const { status, out, err } = await run(...argv);
      expect(status).toBe(0);
      expect(out).toContain('Options of every command');
      expect(err).toBe('');
    },
  );

  it.each([
    [['map', 'get', '--help']],
    [['map', '--help', 'get']],
    [['help', 'map', 'get']],
    [['map', 'get', 'fw/stats', '-h', '--nonsense']],
  ])('%j explains that one command', async (argv) => {
    const { status, out } = await run(...argv);
    expect(status).toBe(0);
    expect(out).toContain('Usage: netkit map get REF KEY [OPTION]...');
  });

  it('after -- takes --help for an argument', async () => {
    const { status, out } = await run('inspect', '--', '--help');
    expect(status).not.toBe(0);
    expect(out).toBe('');
  });

  it('--version prints one line', async () => {
    expect(await run('--version')).toEqual({ status: 0, out: `netkit ${netkitVersion()}\n`, err: '' });
  });

  it('version names what netkit runs on', async () => {
    const { status, out } = await run('version');
    expect(status).toBe(0);
    expect(out).toMatch(/^netkit: +\d+\.\d+\.\d+\nnode: +\d+\./);
  });

  it.each([
    [['laod', 'x.o'], "unknown command 'laod'", "did you mean 'load'?"],
    [['map', 'lits'], "unknown command 'map lits'", "did you mean 'list'?"],
    [['help', 'maps'], "unknown command 'maps'", "did you mean 'map'?"],
    [
      ['map', 'event_pipe'],
      "unknown command 'map event_pipe'",
      'netkit map watch prints records as they come',
    ],
    [
      ['map', 'enqueue'],
      "unknown command 'map enqueue'",
      'netkit map push puts a value into queues and stacks alike',
    ],
    [
      ['map', 'frobnicate'],
      "unknown command 'map frobnicate'",
      `there is: ${commands.flatMap(({ name }) => (name.startsWith('map ') ? name.slice(4) : [])).join(', ')}`,
    ],
    [['--jsno', 'list'], "unknown option '--jsno'", "did you mean '--json'?"],
    [['--set', 'a=1', 'load', 'x.o'], "unknown option '--set'", 'options of a command come after its name'],
    [['version', '--jsonstrings'], "unknown option '--jsonstrings'", "did you mean '--json-strings'?"],
  ])('%j is refused with a hint', async (argv, message, hint) => {
    expect(await run(...argv)).toEqual({
      status: 2,
      out: '',
      err: `netkit: ${message}\nhint: ${hint}\n`,
    });
  });

  it.each([[['--json', 'version']], [['version', '--json']]])(
    '%j takes the option before and after the command',
    async (argv) => {
      const { status, out } = await run(...argv);
      expect(status).toBe(0);
      expect(JSON.parse(out)).toMatchObject({ schemaVersion: 1, netkit: netkitVersion() });
    },
  );

  it('takes the value of an option before the command for no command', async () => {
    const { status, out } = await run('--bpffs', 'list', 'version');
    expect(status).toBe(0);
    expect(out).toContain('netkit:');
  });
});
