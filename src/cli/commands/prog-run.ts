import { setImmediate as nextTurn } from 'node:timers/promises';
import { counted } from '../../base/counted.js';
import { NetkitError } from '../../base/errors.js';
import { openProgram } from '../../cnf/reference.js';
import type { Program } from '../../ebpf/program.js';
import { capabilityHint, missingFor } from '../../host/capabilities.js';
import { writePcap } from '../../obj/pcap.js';
import type { Command } from '../context.js';
import { runWithContext } from '../context-run.js';
import { openReference } from '../open-reference.js';
import { writeOutputFile } from '../output-file.js';
import { type Cell, type Page, tone } from '../page.js';
import type { DocumentOf } from '../schema/index.js';
import type { Options } from '../table/index.js';
import { packetsFromFile, packetsFromHex, type TestPacket } from '../test-packets.js';
import { type PacketType, packetType, readVerdict } from '../verdicts.js';

type RunInfo = DocumentOf<'prog run'>['runs'][number];

/** Between turns of the event loop, in which an interrupt arrives. */
const longestTurnMs = 50;

export const run: Command<'prog run'> = async (context, { reference }, options) => {
  const { output, signal } = context;
  const packets = options.context === undefined ? readPackets(options) : [];
  const cut = packets.filter((packet) => packet.cut).length;
  if (cut > 0)
    output.warn(`${cut} of ${packets.length} packets are cut short in the capture, and run as they are`);
  refuseWithoutRights();
  using program = await openReference(context, reference, openProgram);
  const { id, name, type: word } = program.info();
  if (word === 'syscall' && packets.length === 0) {
    const only = runWithContext(program, options.context);
    output.result({ program: { id, name }, runs: [only] }, (page) => fillContext(page, only));
    return;
  }
  if (options.context !== undefined)
    throw new NetkitError('usage', `--context is for programs of type syscall; '${name}' is of type ${word}`);
  if (packets.length === 0 && options.pcap === undefined) throw noPacket();
  const type = packetType(word);
  if (type === undefined) {
    throw new NetkitError('unsupported', `programs of type ${word} do not run on packets`, {
      details: { type: word },
    });
  }
  const results = await output.progress(`running ${name}`, () =>
    runAll(program, type, packets, { repeat: options.repeat, signal }),
  );
  if (options.out !== undefined) await writeOutputFile(options.out, captureOf(results, packets), signal);
  const runs = results.map((result) => runInfo(result, options.repeat));
  output.result({ program: { id, name }, runs }, (page) => {
    const [only] = runs;
    if (only !== undefined && runs.length === 1) fillOne(page, only);
    else fillMany(page, runs);
  });
};

function readPackets({ hex, pcap, limit }: Options<'prog run'>): TestPacket[] {
  if (pcap !== undefined) return packetsFromFile(pcap, limit);
  if (limit !== undefined) throw new NetkitError('usage', '--limit goes with --pcap');
  return packetsFromHex(hex);
}

function noPacket(): NetkitError {
  return new NetkitError('usage', 'there is no packet to run the program on', {
    hint: 'give --hex HEX or --pcap FILE',
  });
}

function refuseWithoutRights(): void {
  if (!missingFor('load').includes('bpf')) return;
  throw new NetkitError('not-permitted', 'running programs is not allowed for this user', {
    hint: capabilityHint('load'),
  });
}

interface Result {
  readonly packet: TestPacket;
  readonly verdict: number;
  readonly verdictName: string | null;
  readonly out: Uint8Array | undefined;
  readonly nanoseconds: number;
}

async function runAll(
  program: Program,
  type: PacketType,
  packets: readonly TestPacket[],
  { repeat, signal }: { readonly repeat: number; readonly signal: AbortSignal },
): Promise<Result[]> {
  const results: Result[] = [];
  let turn = performance.now();
  for (const packet of packets) {
    if (performance.now() - turn > longestTurnMs) {
      await nextTurn();
      if (signal.aborted) throw interrupted();
      turn = performance.now();
    }
    results.push(await runOne(program, type, packet, repeat));
  }
  return results;
}

async function runOne(
  program: Program,
  type: PacketType,
  packet: TestPacket,
  repeat: number,
): Promise<Result> {
  try {
    const { verdict: returned, data, nsPerRun } = program.testRun({ data: packet.bytes, repeat });
    const { verdict, name } = readVerdict(type, returned);
    return {
      packet,
      verdict,
      verdictName: name,
      out: type.packetOut ? data : undefined,
      nanoseconds: nsPerRun,
    };
  } catch (error) {
    // A signal ends a long test run in the kernel before anything here can know of it.
    if (error instanceof NetkitError && error.details.errno === 'EINTR') throw interrupted(error);
    throw error;
  }
}

function interrupted(cause?: unknown): NetkitError {
  return new NetkitError('interrupted', 'interrupted', { cause });
}

function captureOf(results: readonly Result[], packets: readonly TestPacket[]): Uint8Array {
  const left = results.flatMap(({ out, packet: { timestampNs } }) =>
    out === undefined ? [] : [{ bytes: out, timestampNs }],
  );
  if (left.length === 0 && packets.length > 0) {
    throw new NetkitError('unsupported', 'the kernel gives no packets back for programs of this type', {
      hint: 'leave --out away',
    });
  }
  return writePcap(left);
}

function runInfo({ packet, out, verdict, verdictName, nanoseconds }: Result, repeat: number): RunInfo {
  return {
    in: hexOf(packet.bytes),
    out: out === undefined ? null : hexOf(out),
    verdict,
    verdictName,
    repeat,
    nanoseconds,
  };
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

function fillContext(page: Page, { verdict, in: given, out }: RunInfo): void {
  page.fields([
    ['result', String(verdict)],
    ['in', `${bytesIn(given)} bytes`],
    ['out', out === null ? null : out === given ? 'unchanged' : 'changed'],
  ]);
  if (out !== null) page.line().text(dump(out));
}

function fillOne(page: Page, run: RunInfo): void {
  page.fields([
    ['verdict', verdictCell(run)],
    ['time', `${run.nanoseconds} ns${run.repeat > 1 ? ` a run, the mean of ${run.repeat}` : ''}`],
    ['in', `${bytesIn(run.in)} bytes`],
    ['out', outText(run)],
  ]);
  if (run.out !== null) page.line().text(dump(run.out));
}

function fillMany(page: Page, runs: readonly RunInfo[]): void {
  page.table(
    [
      { title: 'PACKET', align: 'right' },
      'VERDICT',
      { title: 'NS', align: 'right' },
      { title: 'BYTES', align: 'right' },
      'OUT',
    ],
    runs.map((run, index) => [index + 1, verdictCell(run), run.nanoseconds, bytesIn(run.in), outText(run)]),
  );
  page.line(summary(runs));
}

/** `120 packets: 100 pass, 20 drop; 35 ns a run` */
export function summary(runs: readonly RunInfo[]): string {
  if (runs.length === 0) return 'no packets';
  const counts = new Map<string, number>();
  for (const run of runs) {
    const word = run.verdictName ?? String(run.verdict);
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const verdicts = [...counts].sort(([, a], [, b]) => b - a).map(([word, count]) => `${count} ${word}`);
  const mean = Math.round(runs.reduce((sum, { nanoseconds }) => sum + (nanoseconds ?? 0), 0) / runs.length);
  const packets = counted(runs.length, 'packet');
  return `${packets}: ${verdicts.join(', ')}; ${mean} ns a run`;
}

function verdictCell({ verdict, verdictName }: RunInfo): Cell {
  if (verdictName === null) return String(verdict);
  const text = `${verdictName} (${verdict})`;
  if (verdictName === 'aborted') return tone('bad', text);
  return /^(drop|shot)$/.test(verdictName) ? tone('warning', text) : text;
}

function outText({ in: before, out }: RunInfo): string | null {
  if (out === null) return null;
  if (out === before) return 'unchanged';
  return out.length === before.length ? 'changed' : `changed, ${bytesIn(out)} bytes`;
}

function bytesIn(hex: string): number {
  return hex.length / 2;
}

/** Sixteen bytes a line, each line with its offset. */
export function dump(hex: string): string {
  const lines = hex.match(/.{1,32}/g) ?? [];
  return lines
    .map((line, index) => {
      const bytes = line.match(/../g) ?? [];
      return `${(index * 16).toString(16).padStart(4, '0')}  ${bytes.join(' ')}\n`;
    })
    .join('');
}
