/** A stream by iperf3, as a second opinion on the wire and on the generator. */
import { type ChildProcess, spawn } from 'node:child_process';
import { NetkitError } from '../../base/errors.js';
import type { Scope } from '../../base/scope.js';
import { keepOnCpus } from '../../host/affinity.js';
import { requireTool } from '../../host/command.js';
import { type Netns, withNetns } from '../../host/netns.js';
import type { CommandLog } from './command-log.js';
import type { Wire } from './network.js';

export const iperfTool = { name: 'iperf3', versionArgs: ['--version'] } as const;

const port = 5201;
const seconds = 1;
/** The server takes a moment to listen. */
const attempts = 20;
const pauseMs = 50;
/** For which the client is waited. */
const patienceMs = 10_000;

export interface IperfOptions {
  readonly wire: Wire;
  /** The address of the receiver, as text. */
  readonly address: string;
  /** Where server and client run. */
  readonly cpus: { readonly server: number; readonly client: number };
  readonly log: CommandLog;
}

/**
 * Bytes a second of one TCP stream, as the receiving iperf3 counts them. Both processes end with this one.
 * @throws NetkitError `tool-missing` without iperf3 or setpriv, `tool-failed`
 */
export async function iperfRate(scope: Scope, { wire, address, cpus, log }: IperfOptions): Promise<number> {
  const start = (netns: Netns, cpu: number, args: readonly string[]): ChildProcess => {
    // The kernel ends it with this process, however that ends.
    const words = ['--pdeathsig', 'KILL', requireTool(iperfTool.name), ...args];
    const child = withNetns(netns, () =>
      spawn(requireTool('setpriv'), words, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, cwd: '/' }),
    );
    child.on('error', () => undefined);
    scope.defer(() => child.kill('SIGKILL'));
    if (child.pid !== undefined) keepOnCpus(child.pid, [cpu]);
    return child;
  };
  const { from, to } = wire;
  const serverArgs = ['--server', '--one-off', '--port', String(port)];
  const server = start(to.place.netns, cpus.server, serverArgs);
  const args = [
    ...['--client', address],
    ...['--port', String(port)],
    ...['--time', String(seconds)],
    '--json',
  ];
  log.note(to.place.title, `iperf3 ${serverArgs.join(' ')}`);
  log.note(from.place.title, `iperf3 ${args.join(' ')}`);
  try {
    let said = '';
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      said = await outputOf(start(from.place.netns, cpus.client, args));
      const rate = rateIn(said);
      if (rate !== undefined) return rate;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    throw new NetkitError('tool-failed', `iperf3: ${/"error":\s*"([^"]*)"/.exec(said)?.[1] ?? 'no result'}`);
  } finally {
    server.kill('SIGKILL');
  }
}

/** Bytes a second in what `iperf3 --json` says of a stream; undefined where that is an error. */
export function rateIn(said: string): number | undefined {
  const received = /"sum_received":\s*\{[^}]*"bits_per_second":\s*([0-9.eE+]+)/.exec(said)?.[1];
  return received === undefined ? undefined : Number(received) / 8;
}

async function outputOf(child: ChildProcess): Promise<string> {
  let text = '';
  child.stdout?.on('data', (data: Buffer) => {
    text += data.toString();
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  await new Promise((resolve) => child.on('close', resolve).on('error', resolve));
  clearTimeout(timer);
  return text;
}
