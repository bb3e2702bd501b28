import { counted } from '../../base/counted.js';
import { NetkitError } from '../../base/errors.js';
import { type Captured, longestPacket } from '../../bench/lab/captured.js';
import { requireLabRights } from '../../bench/lab/rights.js';
import { dropScenario } from '../../bench/scenarios/drop.js';
import { runBench } from '../bench-run.js';
import type { Command } from '../context.js';
import { packetsFromFile } from '../test-packets.js';

export const run: Command<'bench drop'> = async (context, _, options) => {
  const { packetSize, flows, family, pcap, limit } = options;
  const only = options.only.flatMap((names) => names.split(',')).filter((name) => name !== '');
  const captured = pcap === undefined ? undefined : capturedIn(pcap, limit, context.output);
  const traffic =
    captured === undefined
      ? { family, size: packetSize, flows }
      : { family, size: Math.max(...captured.packets.map(({ length }) => length)), flows: 1, captured };
  const scenario = dropScenario({ ...traffic, only });
  requireLabRights();
  return runBench(context, scenario, options);
};

/** @throws NetkitError `bad-value` when none of its packets can be sent; what reading it throws */
function capturedIn(path: string, limit: number, output: { warn(text: string): void }): Captured {
  const all = packetsFromFile(path, limit);
  const fitting = all.filter(({ bytes }) => bytes.length <= longestPacket);
  const problem = `longer than ${longestPacket} bytes, which is all that an Ethernet takes`;
  if (fitting.length === 0) {
    throw new NetkitError(
      'bad-value',
      all.length === 0 ? `'${path}' has no packets` : `all packets of '${path}' are ${problem}`,
      { details: { path } },
    );
  }
  if (fitting.length < all.length)
    output.warn(`${all.length - fitting.length} of ${all.length} packets are ${problem}: left out`);
  const cut = fitting.filter((packet) => packet.cut).length;
  if (cut > 0)
    output.warn(`${cut} of ${fitting.length} packets are cut short in the capture, and sent as they are`);
  return {
    text: `${counted(fitting.length, 'packet')} of ${path}`,
    packets: fitting.map(({ bytes }) => bytes),
  };
}
