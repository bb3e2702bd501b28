/** Packets with the verdicts that programs are to give: the files of `replace --test`. */
import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { counted } from '../base/counted.js';
import { messageOf, NetkitError } from '../base/errors.js';
import { suggestion } from '../base/suggest.js';
import { pinPath } from '../cnf/layout.js';
import { verdictExpectation } from '../cnf/verdict-expectation.js';
import { Program } from '../ebpf/program.js';
import { fileError } from '../host/file-errors.js';
import type { Output } from './output.js';
import { packetsFromFile, packetsFromHex } from './test-packets.js';
import { type PacketType, packetType, readVerdict } from './verdicts.js';

interface ProgramTest {
  /** Where it stands, and its name. */
  readonly about: string;
  readonly program: string | undefined;
  readonly packet: Uint8Array;
  readonly verdict: string | number;
  readonly output: Uint8Array | undefined;
}

interface TestedProgram {
  readonly name: string;
  readonly type: string;
}

/** Failures that are shown one by one; the rest is counted. */
const mostShown = 20;
const perTurn = 256;

export class ProgramTests {
  readonly #path: string;
  readonly #tests: readonly ProgramTest[];
  #programs: readonly TestedProgram[] = [];

  private constructor(path: string, tests: readonly ProgramTest[]) {
    this.#path = path;
    this.#tests = tests;
  }

  /**
   * Reads a file: a JSON array of tests, or one test a line.
   * @throws NetkitError `not-found`, `not-permitted`; `bad-value` naming what is wrong
   */
  static read(path: string): ProgramTests {
    const tests = parsed(path, textOf(path)).flatMap(({ value, about }) => testsOf(path, value, about));
    if (tests.length === 0)
      throw new NetkitError('bad-value', `'${path}' has no tests`, { details: { path } });
    return new ProgramTests(path, tests);
  }

  /** How many packets there are. */
  get count(): number {
    return this.#tests.length;
  }

  /**
   * Makes sure that there is a program for each test, and that its type knows the verdict.
   * @throws NetkitError `bad-value`, `not-found`, `usage`
   */
  check(programs: readonly TestedProgram[]): void {
    this.#programs = programs;
    for (const test of this.#tests) expectedOf(test, this.#programFor(test));
  }

  /** @throws NetkitError `failed` when a program does something else than it is expected to; `interrupted` */
  async run(folder: string, signal: AbortSignal | undefined, output: Output): Promise<void> {
    const failures: { readonly test: string; readonly is: string; readonly expected: string }[] = [];
    for (const [index, test] of this.#tests.entries()) {
      if (index % perTurn === 0) await nextTurn();
      if (signal?.aborted === true) throw new NetkitError('interrupted', 'interrupted: nothing was swapped');
      const program = this.#programFor(test);
      const failure = outcomeOf(test, program, folder);
      if (failure !== undefined)
        failures.push({ test: `${test.about}, program '${program.name}'`, ...failure });
    }
    if (failures.length === 0) return;
    for (const { test, is, expected } of failures.slice(0, mostShown))
      output.explain(`${test}: ${is}, expected ${expected}`);
    throw new NetkitError(
      'failed',
      `${failures.length} of ${counted(this.count, 'test')} failed: nothing was swapped`,
      { details: { path: this.#path, failures } },
    );
  }

  #programFor({ program: wanted, about }: ProgramTest): TestedProgram {
    const able = this.#programs.filter(({ type }) => packetType(type) !== undefined);
    if (wanted === undefined) {
      const [only] = able;
      if (only !== undefined && able.length === 1) return only;
      throw new NetkitError('usage', `${about}: which program is meant is not said`, {
        hint: `"program" is one of ${able.map(({ name }) => name).join(', ') || 'none: no program runs on packets'}`,
      });
    }
    const found = this.#programs.find(({ name }) => name === wanted);
    if (found === undefined) {
      throw new NetkitError('not-found', `${about}: the new object has no program '${wanted}'`, {
        hint: suggestion(
          wanted,
          this.#programs.map(({ name }) => name),
        ),
      });
    }
    if (packetType(found.type) !== undefined) return found;
    throw new NetkitError(
      'usage',
      `${about}: '${wanted}' is of type ${found.type}, which runs on no packets`,
    );
  }
}

function textOf(path: string): string {
  try {
    if (statSync(path).isCharacterDevice())
      throw new NetkitError('bad-value', `'${path}' is a device, not a file of tests`);
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw fileError(error, 'read', path);
  }
}

function parsed(path: string, text: string): { readonly value: unknown; readonly about: string }[] {
  if (text.trimStart().startsWith('[')) {
    const values: unknown = jsonOf(text, path);
    if (!Array.isArray(values)) throw new TypeError('what begins with a bracket is an array');
    return values.map((value: unknown, index) => ({ value, about: `${path}: test ${index + 1}` }));
  }
  return text.split('\n').flatMap((line, index) => {
    const about = `${path}: line ${index + 1}`;
    return line.trim() === '' ? [] : [{ value: jsonOf(line, about), about }];
  });
}

function jsonOf(text: string, about: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new NetkitError('bad-value', `${about}: ${messageOf(error)}`, {
      hint: 'it is one JSON array, or one JSON object a line',
    });
  }
}

function testsOf(path: string, value: unknown, where: string): ProgramTest[] {
  const { data, error } = verdictExpectation.safeParse(value);
  if (data === undefined) {
    const issue = error?.issues[0];
    const at = issue === undefined || issue.path.length === 0 ? '' : ` at '${issue.path.join('.')}'`;
    throw new NetkitError('bad-value', `${where}: no test${at}: ${issue?.message ?? ''}`, {
      hint: 'a test has "packet" or "pcap", "verdict", and perhaps "program", "output" and "name"',
    });
  }
  const about = data.name === undefined ? where : `${where} (${data.name})`;
  if ((data.packet === undefined) === (data.pcap === undefined))
    throw new NetkitError('bad-value', `${about}: a test has either "packet" or "pcap"`);
  const { program, verdict } = data;
  const output = data.output === undefined ? undefined : bytesOf(data.output, `${about}: "output"`);
  if (data.pcap !== undefined) {
    if (output !== undefined)
      throw new NetkitError('bad-value', `${about}: "output" goes with one "packet", not with a capture`);
    const packets = packetsFromFile(resolve(dirname(path), data.pcap));
    return packets.map(({ bytes }, index) => ({
      about: `${about}: packet ${index + 1} of ${data.pcap ?? ''}`,
      program,
      packet: bytes,
      verdict,
      output,
    }));
  }
  const texts = typeof data.packet === 'string' ? [data.packet] : (data.packet ?? []);
  return [{ about, program, packet: bytesOf(texts.join(''), `${about}: "packet"`), verdict, output }];
}

function bytesOf(text: string, about: string): Uint8Array {
  try {
    const [packet] = packetsFromHex([text]);
    return packet?.bytes ?? new Uint8Array(0);
  } catch (error) {
    if (!(error instanceof NetkitError)) throw error;
    throw new NetkitError('bad-value', error.message.replace(/^--hex/, about), { hint: error.hint });
  }
}

/** @throws NetkitError `bad-value` for a word that is no verdict of the program's type */
function expectedOf({ verdict, about }: ProgramTest, { name, type: word }: TestedProgram): number {
  const type = packetType(word);
  if (typeof verdict === 'number') return type === undefined ? verdict : readVerdict(type, verdict).verdict;
  const found = Object.entries(type?.verdicts ?? {}).find(([, each]) => each === verdict.toLowerCase());
  if (found !== undefined) return Number(found[0]);
  const words = Object.values(type?.verdicts ?? {});
  throw new NetkitError('bad-value', `${about}: '${verdict}' is no verdict of '${name}' (${word})`, {
    hint: words.length === 0 ? 'give a number' : `it is ${words.join(', ')}, or a number`,
  });
}

function outcomeOf(
  test: ProgramTest,
  { name, type: word }: TestedProgram,
  folder: string,
): { readonly is: string; readonly expected: string } | undefined {
  const type = packetType(word);
  if (type === undefined) throw new TypeError(`programs of type ${word} run on no packets`);
  const expected = expectedOf(test, { name, type: word });
  using program = Program.fromPin(pinPath(folder, 'progs', name));
  const { verdict: returned, data } = program.testRun({ data: test.packet, repeat: 1 });
  const { verdict } = readVerdict(type, returned);
  if (verdict !== expected) return { is: verdictText(type, verdict), expected: verdictText(type, expected) };
  if (test.output === undefined || Buffer.from(test.output).equals(data)) return undefined;
  return { is: `the packet left as ${hexOf(data)}`, expected: hexOf(test.output) };
}

function verdictText(type: PacketType, verdict: number): string {
  const name = type.verdicts[verdict];
  return name === undefined ? String(verdict) : `${name} (${verdict})`;
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}
