import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import type { GlobalOptions } from '../../../src/cli/globals.js';
import { Output } from '../../../src/cli/output.js';
import { type Page, tone } from '../../../src/cli/page.js';
import { FakeIo } from './fake-io.js';

const defaults: GlobalOptions = {
  json: false,
  jsonStrings: false,
  quiet: false,
  color: true,
  yes: false,
  dryRun: false,
  ifExists: false,
  logLevel: 'info',
  netns: undefined,
  lockTimeout: 10,
};

function made(options: Partial<GlobalOptions> = {}, terminal = false) {
  const io = new FakeIo({ terminal });
  return { io, output: new Output(io, { ...defaults, ...options }) };
}

const spinning = vi.hoisted((): string[] => []);
vi.mock('ora', () => ({
  default: ({ text }: { text: string }) => ({
    start: () => {
      spinning.push(text);
      return { text, stop: () => undefined };
    },
  }),
}));

const counters = { name: 'fw', packets: 2n ** 64n - 1n };
const fill = (page: Page) =>
  page
    .line('function ', tone('name', 'fw'))
    .table(
      ['name', { title: 'packets', align: 'right' }],
      [
        ['a', 7],
        ['longer', 2n ** 64n - 1n],
        [tone('dim', 'none'), null],
      ],
    )
    .fields([
      ['id', 3],
      ['owner', undefined],
      ['pinned', true],
    ]);
const plain = [
  'function fw',
  'name                 packets',
  'a                          7',
  'longer  18446744073709551615',
  'none                       -',
  'id:      3',
  'pinned:  true',
  '',
].join('\n');

describe('Output', () => {
  it('writes aligned text without colour to a pipe', async () => {
    const { io, output } = made();
    output.result(counters, fill);
    await output.flush();
    expect(io.out).toBe(plain);
  });

  it('writes the same with colour to a terminal', async () => {
    const { io, output } = made({}, true);
    output.result(counters, fill);
    await output.flush();
    expect(io.out).toContain('\u001b[1mfw\u001b[22m');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is to be removed
    const bare = io.out.replace(/\u001b\[\d+m/g, '').replace(/ +$/gm, '');
    expect(bare).toBe(plain);
  });

  it('writes no colour to a terminal that is to have none', async () => {
    const { io, output } = made({ color: false }, true);
    output.result(counters, fill);
    await output.flush();
    expect(io.out).toBe(plain);
  });

  it('writes one JSON document with schemaVersion, and does not make the text', async () => {
    const { io, output } = made({ json: true });
    output.result(counters, () => {
      throw new Error('not asked for');
    });
    await output.flush();
    expect(io.out).toBe('{"schemaVersion":1,"name":"fw","packets":18446744073709551615}\n');
  });

  it('writes 64-bit integers as strings when asked to', async () => {
    const { io, output } = made({ json: true, jsonStrings: true });
    output.result(counters, fill);
    await output.flush();
    expect(io.out).toBe('{"schemaVersion":1,"name":"fw","packets":"18446744073709551615"}\n');
  });

  it('indents a JSON document for a terminal, but keeps a record on its line', async () => {
    const { io, output } = made({ json: true }, true);
    output.result({ a: 1 }, fill);
    output.record({ a: 2 }, fill);
    await output.flush();
    expect(io.out).toBe('{\n  "schemaVersion": 1,\n  "a": 1\n}\n{"schemaVersion":1,"a":2}\n');
  });

  it('keeps the order of what is said on a terminal', async () => {
    const { io, output } = made({}, true);
    output.result({}, (page) => page.line('1'));
    output.result({}, (page) => page.line('2'));
    await output.flush();
    expect(io.out).toBe('1\n2\n');
  });

  it('says remarks and warnings on standard error', () => {
    const { io, output } = made();
    output.note('attached already');
    output.warn('generic mode');
    output.debug('never');
    expect(io.out).toBe('');
    expect(io.err).toBe('netkit: attached already\nnetkit: warning: generic mode\n');
  });

  it.each([
    [{ quiet: true }, ''],
    [{ logLevel: 'error' }, ''],
    [{ logLevel: 'warn' }, 'netkit: warning: w\n'],
    [{ logLevel: 'debug' }, 'netkit: n\nnetkit: warning: w\nnetkit: debug: d\n'],
  ] as const)('with %j says on standard error only %j', (options, said) => {
    const { io, output } = made(options);
    output.note('n');
    output.warn('w');
    output.debug('d');
    expect(io.err).toBe(said);
  });

  it('with --quiet shows results, but not what was done', async () => {
    const { io, output } = made({ quiet: true });
    output.done({}, (page) => page.line('done'));
    output.result({}, (page) => page.line('result'));
    await output.flush();
    expect(io.out).toBe('result\n');
  });

  it('writes names that could steer a terminal so that they cannot', async () => {
    const { io, output } = made({}, true);
    output.result({}, (page) => {
      page.line('a\u001b]0;title\u0007\nb').text('c\u001b[2J\td\ne');
    });
    await output.flush();
    expect(io.out).toBe('a\\x1b]0;title\\x07\\nb\nc\\x1b[2J\td\ne\n');
  });

  it('asks nobody when --yes is given', async () => {
    const { io, output } = made({ yes: true });
    await output.ask('unload 3 functions');
    expect(io.err).toBe('');
  });

  it('refuses with status 2 to ask where there is no terminal', async () => {
    const { output } = made();
    await expect(output.ask('unload 3 functions')).rejects.toMatchObject({
      exitStatus: 2,
      message: 'unload 3 functions: there is no terminal to ask on',
      hint: 'use --yes',
    });
  });

  it.each([
    ['y\n', true],
    ['YES\n', true],
    ['\n', false],
    ['n\n', false],
    ['yesterday\n', false],
    ['', false],
  ])('takes the answer %j for %j', async (answer, agreed) => {
    const { io, output } = made({}, true);
    io.stdin.end(answer);
    const asked = output.ask('unload 3 functions');
    if (agreed) await asked;
    else await expect(asked).rejects.toMatchObject({ exitStatus: 1 });
    expect(io.err).toBe('unload 3 functions? [y/N] ');
  });

  it('gives up a question on an interrupt', async () => {
    const { io, output } = made({}, true);
    const asked = output.ask('unload 3 functions');
    io.interrupt.abort();
    await expect(asked).rejects.toMatchObject({ exitStatus: 130 });
  });

  it('passes on what work shown with progress gives', async () => {
    const { io, output } = made({}, true);
    expect(await output.progress('working', async () => 5)).toBe(5);
    expect(io.err).toBe('');
  });

  it('writes bytes in pieces, after what was said before, and waits until they may be overwritten', async () => {
    const { io, output } = made();
    output.result({}, (page) => page.line('first'));
    const bytes = Buffer.from('second\n');
    expect(await output.bytes(bytes)).toBe(true);
    bytes.fill('x');
    expect(io.out).toBe('first\nsecond\n');
  });

  it('tells when nobody reads its bytes any more', async () => {
    const { io, output } = made();
    Object.assign(io.stdout, {
      write: (_: Uint8Array, done: (error: Error) => void) => queueMicrotask(() => done(new Error('EPIPE'))),
    });
    expect(await output.bytes(Buffer.from('x'))).toBe(false);
  });

  it('counts without a word where there is no terminal', async () => {
    const { io, output } = made();
    const result = await output.counting('reading', 'entries', async (add) => {
      add(5);
      return 'done';
    });
    expect([result, io.out, io.err]).toEqual(['done', '', '']);
  });

  it('shows a count on a terminal that knows its width, when the work takes longer than a second', async () => {
    for (const [columns, says] of [
      [80, [/^reading: 1,234 entries, [\d,]+ a second$/]],
      [0, []],
    ] as const) {
      spinning.length = 0;
      const { io, output } = made({}, true);
      io.stderr.columns = columns;
      await output.counting('reading', 'entries', async (add) => {
        add(1234);
        await sleep(1200);
      });
      expect(spinning).toEqual(says.map((pattern) => expect.stringMatching(pattern)));
    }
  });
});
