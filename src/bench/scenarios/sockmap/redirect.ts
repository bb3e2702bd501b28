/** Programs that hand bytes from socket to socket: what they are attached to, and how many bytes they saw. */
import type { Scope } from '../../../base/scope.js';
import { sockmap } from '../../../ebpf/attach/index.js';
import { socketOf } from '../../../ebpf/foreign-sockets.js';
import { load } from '../../../ebpf/load.js';
import { benchObject } from '../../lab/bench-object.js';

/** A socket of another process. */
export interface SocketPlace {
  readonly pid: number;
  readonly fd: number;
}

export class Redirect {
  readonly #sockets;
  readonly #redirected;

  /**
   * @param listener the local port that one of the two sockets has, and the other has not
   * @throws NetkitError `unsupported`, `not-permitted`
   */
  constructor(scope: Scope, program: 'hand_on' | 'hand_over', listener: number) {
    const spec = benchObject('sockmap');
    spec.only([program]);
    spec.globals.set('listener', listener);
    const object = scope.use(load(spec));
    this.#sockets = object.map('sockets');
    this.#redirected = object.map('redirected');
    scope.use(object.program(program).attach(sockmap({ map: this.#sockets })));
  }

  /**
   * From now on what comes from one of the sockets goes to the other. They go out of the map when they are closed.
   * @param listening the one with the listener's port
   * @throws NetkitError `not-found`, `not-permitted`
   */
  join(listening: SocketPlace, other: SocketPlace): void {
    this.#set(0, other);
    this.#set(1, listening);
  }

  /** Bytes that the program has redirected. */
  bytes(): number {
    const values = this.#redirected.get(0);
    if (!Array.isArray(values)) throw new TypeError('sockmap.bpf.c counts per CPU');
    return values.reduce<number>((sum, value) => sum + Number(value), 0);
  }

  #set(key: number, { pid, fd }: SocketPlace): void {
    // A descriptor more would keep the connection open.
    using socket = socketOf(pid, fd);
    this.#sockets.set(key, `fd:${socket.fd}`);
  }
}
