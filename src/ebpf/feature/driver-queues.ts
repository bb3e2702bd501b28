/** Drivers whose native XDP needs queues to spare, and whether an interface has them. */
import type { Channels } from '../../sys/ethtool.js';

/**
 * What is wrong with the queues of an interface, and how many it should use; undefined when nothing is, or nothing is known.
 * No number would do where the card has too few.
 */
export function queueProblem(
  driver: string | undefined,
  channels: Channels | undefined,
  cpus: number,
): { readonly problem: string; readonly queues: number | undefined } | undefined {
  if (driver === undefined || channels === undefined) return undefined;
  const rule = rules[driver];
  const most = rule?.most(channels, cpus);
  const { combined, rx, tx } = channels;
  const used = combined > 0 ? combined : Math.max(rx, tx);
  if (rule === undefined || most === undefined || used <= most) return undefined;
  return {
    problem: `${rule.why}: it uses ${used} of ${limit(channels)} queues`,
    queues: most >= 1 ? most : undefined,
  };
}

const limit = ({ maxCombined, maxRx, maxTx }: Channels): number =>
  maxCombined > 0 ? maxCombined : Math.max(maxRx, maxTx);

interface Rule {
  readonly why: string;
  /** How many queues may be in use. */
  readonly most: (channels: Channels, cpus: number) => number;
}

const half: Rule = {
  why: 'the driver needs as many queues again for XDP to send with',
  most: (channels) => Math.floor(limit(channels) / 2),
};

/** As their sources have it (drivers/net/…), where they refuse XDP or make it wait for locks. */
const rules: Readonly<Record<string, Rule>> = {
  // ethernet/amazon/ena/ena_xdp.c: ena_xdp_allowed
  ena: half,
  // ethernet/google/gve/gve_main.c: verify_xdp_configuration
  gve: half,
  gvnic: half,
  // virtio_net.c: virtnet_xdp_set wants a queue for each CPU, else they share with locks
  virtio_net: {
    why: 'the driver has no queue for each CPU to send with, and XDP_TX and redirects wait for locks',
    most: (channels, cpus) => limit(channels) - cpus,
  },
};
