import { NetkitError } from '../../base/errors.js';
import { openProgram } from '../../cnf/reference.js';
import { profile, type Tier } from '../../ebpf/profile/index.js';
import type { Command } from '../context.js';
import { openReference } from '../open-reference.js';
import type { Page } from '../page.js';
import type { DocumentOf } from '../schema/index.js';
import type { Options } from '../table/index.js';
import { packetsFromFile, packetsFromHex } from '../test-packets.js';

type Document = DocumentOf<'prog profile'>;

export const run: Command<'prog profile'> = async (context, { reference }, options) => {
  const { output, signal } = context;
  const packet = readPacket(options);
  const tier = chosenTier(options.tier, packet);
  using program = await openReference(context, reference, openProgram);
  const { id, name } = program.info();
  const { measurement, passedOver } = await output.progress(`measuring ${name}`, () =>
    profile(program, { seconds: options.seconds, tier, packet, signal }),
  );
  const document: Document = {
    program: { id, name },
    tier: measurement.tier,
    seconds: rounded(measurement.seconds, 3),
    runs: Number(measurement.runs),
    nanoseconds: measurement.nsPerRun === undefined ? null : rounded(measurement.nsPerRun, 1),
    overheadNanoseconds: rounded(measurement.overheadNs, 1),
    counters: measurement.counters.map(({ name: counter, total, perRun }) => ({
      name: counter,
      total: Number(total),
      perRun: rounded(perRun, 1),
    })),
    passedOver: passedOver.map((each) => ({ ...each })),
  };
  output.result(document, (page) => fill(page, document));
  if (measurement.runs === 0n) {
    output.note(`${name} did not run meanwhile; --tier test-run measures it without traffic`);
  }
};

function readPacket({ hex, pcap }: Options<'prog profile'>): Uint8Array | undefined {
  if (hex !== undefined) return packetsFromHex([hex])[0]?.bytes;
  if (pcap === undefined) return undefined;
  const [first] = packetsFromFile(pcap, 1);
  if (first !== undefined) return first.bytes;
  throw new NetkitError('bad-value', `${pcap} has no packet`);
}

function chosenTier(tier: Tier | undefined, packet: Uint8Array | undefined): Tier | undefined {
  if (packet === undefined) return tier;
  if (tier === undefined || tier === 'test-run') return 'test-run';
  throw new NetkitError('usage', `--tier ${tier} watches real traffic: there is no packet to give`, {
    hint: 'leave --hex and --pcap away, or use --tier test-run',
  });
}

const ways: Readonly<Record<Document['tier'], string>> = {
  counters: 'hardware counters at entry and exit',
  fentry: 'the clock at entry and exit',
  statistics: 'BPF statistics of the kernel',
  'test-run': 'test runs on one packet',
};

function fill(page: Page, document: Document): void {
  const { tier, seconds, runs, nanoseconds, overheadNanoseconds, counters, passedOver } = document;
  page.fields([
    ['tier', `${tier}: ${ways[tier]}`],
    ['observed', `${seconds} s`],
    ['runs', `${runs}, ${Math.round(runs / Math.max(seconds, 0.001))} a second`],
    ['time', nanoseconds === null ? null : `${nanoseconds} ns a run`],
    ['taken off', `${overheadNanoseconds} ns a run, what measuring takes by itself`],
    ...passedOver.map(({ tier: other, reason }) => [`not ${other}`, reason] as const),
  ]);
  page.table(
    ['COUNTER', { title: 'A RUN', align: 'right' }, { title: 'TOTAL', align: 'right' }],
    counters.map(({ name, perRun, total }) => [name, perRun, total]),
  );
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
