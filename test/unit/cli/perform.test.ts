import { describe, expect, it } from 'vitest';
import { NetkitError } from '../../../src/base/errors.js';
import type { Command, CommandModule } from '../../../src/cli/context.js';
import { guessStyle, reportFailure } from '../../../src/cli/failure.js';
import { perform } from '../../../src/cli/perform.js';
import { commands } from '../../../src/cli/table/index.js';
import { FakeIo } from './fake-io.js';

const [row] = commands.filter(({ name }) => name === 'unload');
if (row === undefined) throw new Error('no unload');
const unload = row;

/** Runs `body` as the body of `netkit unload`, as `main` does. */
async function runBody(body: Command<'unload'>, argv: readonly string[] = [], io = new FakeIo()) {
  const bodies: Record<string, () => Promise<CommandModule>> = { unload: async () => ({ run: body }) };
  try {
    return { status: await perform(unload, argv, io, bodies), io };
  } catch (error) {
    return { status: reportFailure(io, error, guessStyle(argv)), io };
  }
}

const nothing = { functions: [], returnsAt: null, dryRun: false, actions: [] };

describe('perform', () => {
  it('gives the body paths from options, environment and defaults, in that order', async () => {
    const seen: unknown[] = [];
    const body: Command<'unload'> = async ({ paths }) => {
      seen.push(paths);
    };
    const env = { NETKIT_BPFFS: '/env/bpf', NETKIT_STATE_DIR: '' };
    await runBody(body, []);
    await runBody(body, [], new FakeIo({ env }));
    await runBody(body, ['--bpffs', '/opt/bpf/', '--state-dir=/opt/state'], new FakeIo({ env }));
    expect(seen).toEqual([
      { bpffs: '/sys/fs/bpf', bpffsGiven: false, stateDir: '/var/lib/netkit' },
      { bpffs: '/env/bpf', bpffsGiven: true, stateDir: '/var/lib/netkit' },
      { bpffs: '/opt/bpf', bpffsGiven: true, stateDir: '/opt/state' },
    ]);
  });

  it('gives the body the global options', async () => {
    let seen: unknown;
    await runBody(
      async ({ options }) => {
        seen = options;
      },
      ['fw', '--json-strings', '-q', '-y', '--dry-run', '--if-exists', '--netns', 'blue', '--no-color'],
    );
    expect(seen).toEqual({
      json: true,
      jsonStrings: true,
      quiet: true,
      color: false,
      yes: true,
      dryRun: true,
      ifExists: true,
      logLevel: 'info',
      netns: 'blue',
      lockTimeout: 10,
    });
  });

  it('ends with the status that the body returns', async () => {
    expect((await runBody(async () => 8)).status).toBe(8);
    expect((await runBody(async () => undefined)).status).toBe(0);
  });

  it('writes what the body said, also when it then fails', async () => {
    const { status, io } = await runBody(async ({ output }) => {
      output.result(nothing, (page) => page.line('one'));
      throw new NetkitError('conflict', 'two\nthree', { hint: 'four' });
    });
    expect(status).toBe(5);
    expect(io.out).toBe('one\n');
    expect(io.err).toBe('netkit: two three\nhint: four\n');
  });

  it('shows an unexpected error as one line without a stack', async () => {
    const { status, io } = await runBody(async () => {
      throw new TypeError('x is not a function');
    });
    expect(status).toBe(1);
    expect(io.err).toBe('netkit: x is not a function\n');
  });

  it('shows the stack and the causes with --log-level debug', async () => {
    const { io } = await runBody(async () => {
      throw new TypeError('outer', { cause: new Error('inner') });
    }, ['--log-level', 'debug']);
    expect(io.err).toMatch(/^netkit: outer\nTypeError: outer\n {4}at [\s\S]*\ncaused by: Error: inner\n/);
  });

  it('shows errors as JSON with all digits of their details', async () => {
    const body: Command<'unload'> = async () => {
      throw new NetkitError('bad-value', 'too large', { details: { max: 2n ** 64n - 1n } });
    };
    expect((await runBody(body, ['--json'])).io.err).toBe(
      '{"error":{"code":"bad-value","message":"too large","hint":null,"details":{"max":18446744073709551615}},"schemaVersion":1}\n',
    );
    expect((await runBody(body, ['--json-strings'])).io.err).toContain('"max":"18446744073709551615"');
  });

  it('ends with 130 when the body fails after an interrupt, whatever it throws', async () => {
    const io = new FakeIo();
    const { status } = await runBody(
      async ({ signal }) => {
        io.interrupt.abort();
        signal.throwIfAborted();
      },
      [],
      io,
    );
    expect(status).toBe(130);
    expect(io.err).toBe('netkit: interrupted\n');
  });

  it('ends with 0 when the body was done before the interrupt', async () => {
    const io = new FakeIo();
    const { status } = await runBody(async () => io.interrupt.abort(), [], io);
    expect(status).toBe(0);
  });

  it('writes no control characters of an error to the terminal', async () => {
    const { io } = await runBody(async () => {
      throw new NetkitError('not-found', 'no \u001b[31mred\u0007 \u202efile');
    });
    expect(io.err).toBe('netkit: no \\x1b[31mred\\x07 \\u202efile\n');
  });
});
