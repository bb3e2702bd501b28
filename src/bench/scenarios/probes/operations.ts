/** What probes are in the way of: something cheap that is done over and over. */
import type { Scope } from '../../../base/scope.js';
import { runInside } from '../../../host/command-inside.js';
import { newNetns, withNetns } from '../../../host/netns.js';
import {
  bindSocket,
  connectSocket,
  notYet,
  openSocket,
  receiveNow,
  sendNow,
  socketAddress,
} from '../../../host/request-sockets.js';
import { ascending, middleMean } from '../../statistics/quantile.js';

export interface Operation {
  /** What is done, exactly. */
  readonly description: string;
  /** @throws Error when it cannot be done any more */
  run(count: number): void;
}

/** A system call that does next to nothing, by way of a function of the C library. */
export function callOperation(): Operation {
  const { umask } = process;
  const mask = umask();
  return {
    description: 'umask(), which Node calls in the C library, and that in the kernel',
    run: (count) => {
      for (let done = 0; done < count; done++) umask(mask);
    },
  };
}

const port = 9;
const size = 64;
/** Milliseconds: other work of the kernel takes less. */
const lateMs = 100;
const localhost = Uint8Array.of(127, 0, 0, 1);

/**
 * A packet from one socket to another, through the loopback interface of a namespace of its own.
 * @throws NetkitError `tool-missing` without `ip`, `not-permitted`
 */
export function packetOperation(scope: Scope): Operation {
  const netns = scope.use(newNetns());
  runInside(netns, 'ip', ['link', 'set', 'lo', 'up']);
  const { from, to } = withNetns(netns, () => joinedSockets(scope));
  const packet = new Uint8Array(size);
  const into = new Uint8Array(size);
  // Where the kernel's thread for packets is at work, it takes this one too, after the call.
  const arrive = (): number => {
    const deadline = performance.now() + lateMs;
    for (;;) {
      const got = receiveNow(to, into);
      if (got !== notYet || performance.now() > deadline) return got;
    }
  };
  let isLost = false;
  return {
    description: `a UDP datagram of ${size} bytes sent and read, through the loopback interface of a namespace of its own`,
    run: (count) => {
      // What came too late is not the next one's.
      while (isLost && receiveNow(to, into) !== notYet);
      isLost = false;
      for (let done = 0; done < count; done++) {
        if (sendNow(from, packet, size) === size && receiveNow(to, into) === size) continue;
        isLost = arrive() !== size;
        if (isLost) throw new Error('a datagram did not arrive');
      }
    },
  };
}

/** In the thread's namespace. */
function joinedSockets(scope: Scope): { readonly from: number; readonly to: number } {
  const open = () => scope.use(openSocket('ipv4', 'udp', { waits: false }));
  const [from, to] = [open(), open()];
  const address = socketAddress('ipv4', port, localhost);
  bindSocket(to, address);
  connectSocket(from.value, address);
  return { from: from.value, to: to.value };
}

export interface Timing {
  readonly seconds: number;
  readonly operations: number;
  /** Nanoseconds of an operation: the mean of the middle half of all chunks. */
  readonly time: number;
}

/** Between two looks at the clock, in nanoseconds: long beside that, short beside what disturbs. */
const chunkNs = 200_000;

/** Does it for about so long. */
export function timeOperation({ run }: Operation, seconds: number): Timing {
  const started = performance.now();
  const timed = (count: number): number => {
    const before = process.hrtime.bigint();
    run(count);
    return Number(process.hrtime.bigint() - before);
  };
  // Caches fill, and it shows how many a chunk has.
  let chunk = 8;
  let operations = chunk;
  while (timed(chunk) < chunkNs) {
    chunk *= 2;
    operations += chunk;
  }
  const each: number[] = [];
  do {
    each.push(timed(chunk) / chunk);
    operations += chunk;
  } while (performance.now() - started < seconds * 1000);
  return {
    seconds: (performance.now() - started) / 1000,
    operations,
    time: middleMean(ascending(each)),
  };
}
