import { existsSync } from 'node:fs';
import { counted } from '../../base/counted.js';
import { NetkitError } from '../../base/errors.js';
import { type ProgramChoice, programScenario } from '../../bench/scenarios/program.js';
import { syntheticPacket } from '../../ebpf/profile/empty-program.js';
import { capabilityHint, missingFor } from '../../host/capabilities.js';
import { runBench } from '../bench-run.js';
import type { Command } from '../context.js';
import { objectFile } from '../object-file.js';
import type { Options } from '../table/index.js';
import { packetsFromFile, packetsFromHex, type TestPacket } from '../test-packets.js';
import { packetType, readVerdict } from '../verdicts.js';

export const run: Command<'bench program'> = async (context, { object }, options) => {
  const { packets, text } = packetsOf(options);
  const cut = packets.filter((packet) => packet.cut).length;
  if (cut > 0)
    context.output.warn(
      `${cut} of ${packets.length} packets are cut short in the capture, and run as they are`,
    );
  const scenario = programScenario({
    object: choiceOf(object),
    against: options.against === undefined ? undefined : choiceOf(options.against),
    packets: packets.map(({ bytes }) => bytes),
    packetsText: text,
    runsOnPackets: (type) => packetType(type) !== undefined,
    verdictText,
  });
  if (missingFor('load').length > 0) {
    throw new NetkitError('not-permitted', 'loading and running programs is not allowed for this user', {
      hint: capabilityHint('load'),
    });
  }
  return runBench(context, scenario, options);
};

/** A file, or a program of the file before the last slash. */
function choiceOf(text: string): ProgramChoice {
  const slash = text.lastIndexOf('/');
  const before = text.slice(0, Math.max(slash, 0));
  const isProgram = slash > 0 && !existsSync(text) && (before.startsWith('builtin:') || existsSync(before));
  return isProgram
    ? { path: objectFile(before), program: text.slice(slash + 1) }
    : { path: objectFile(text), program: undefined };
}

function packetsOf({ hex, pcap, limit }: Options<'bench program'>): {
  readonly packets: readonly TestPacket[];
  readonly text: string;
} {
  if (pcap !== undefined) {
    const packets = packetsFromFile(pcap, limit);
    if (packets.length === 0)
      throw new NetkitError('bad-value', `'${pcap}' has no packets`, { details: { path: pcap } });
    return { packets, text: `${counted(packets.length, 'packet')} of ${pcap}` };
  }
  if (hex.length > 0)
    return { packets: packetsFromHex(hex), text: `${counted(hex.length, 'packet')} given in hexadecimal` };
  const only = { bytes: syntheticPacket(), timestampNs: 0n, cut: false };
  return { packets: [only], text: 'one of IPv4 and UDP, 64 bytes' };
}

function verdictText(word: string, returned: number): string {
  const type = packetType(word);
  if (type === undefined) return String(returned);
  const { verdict, name } = readVerdict(type, returned);
  return name ?? String(verdict);
}
