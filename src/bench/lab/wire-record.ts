/** The ends of a wire, as a report records them. */
import { interfaceSettings } from '../../host/interface-settings.js';
import type { BenchEnvironment } from '../document.js';
import type { Ends } from './network.js';

/** How a sender's end is used. */
export const senderModes = {
  flood: 'sender: XDP live frames redirected to it',
  sockets: 'sender: segmentation of TCP off, so that packets of sockets go to the NAPI thread',
} as const;

/**
 * @param wire any of those that are measured, since all are alike; nothing is recorded without one
 * @param each what has a wire of its own, in the singular
 */
export function wireRecord(
  wire: Ends | undefined,
  each: string,
  sender: keyof typeof senderModes,
): BenchEnvironment['interfaces'] {
  if (wire === undefined) return [];
  return [wire.from, wire.to].map(({ place: { netns, title }, ifname }) => {
    const { driver, offloads } = interfaceSettings(netns, ifname);
    const receiver = `receiver: NAPI in a thread, GRO on, 1 queue; each ${each} has a pair of its own`;
    const mode = title === 'receiver' ? receiver : senderModes[sender];
    return { driver, offloads: [...offloads], ifname, mode };
  });
}
