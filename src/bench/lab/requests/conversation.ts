/** A client and a server in network namespaces of their own, and the wire between them. */
import type { Scope } from '../../../base/scope.js';
import { goAhead } from '../../../host/affinity.js';
import { setTso } from '../../../host/interface-settings.js';
import type { CommandLog } from '../command-log.js';
import { LabNetwork, type Wire } from '../network.js';
import type { Family } from '../packet.js';
import type { Loop, RunResult } from './orders.js';
import { type RequestClient, type RequestServer, startServer } from './peers.js';
import type { Protocol, Route } from './route.js';

/** Where servers listen. */
export const requestPort = 7007;

/** As interrupts go before programs: what takes a packet off the wire goes before what answers it. */
const priorities = { napi: 2, server: 1 } as const;

export interface ConversationOptions {
  readonly family: Family;
  readonly protocol: Protocol;
  /** Bytes of a request, and of its answer. */
  readonly size: number;
  /** Where requests are received and answered. */
  readonly cpu: number;
  readonly log: CommandLog;
}

export class Conversation {
  readonly wire: Wire;
  readonly server: RequestServer;
  /** Whether the thread that takes packets, and the server, go before all ordinary processes on their CPU. */
  readonly isAhead: boolean;
  readonly #protocol: Protocol;
  readonly #route: Route;

  private constructor(wire: Wire, server: RequestServer, protocol: Protocol, route: Route) {
    this.wire = wire;
    this.server = server;
    this.isAhead = goAhead(wire.napi.pid, priorities.napi) && goAhead(server.pid, priorities.server);
    this.#protocol = protocol;
    this.#route = route;
  }

  /** All of it ends with the scope. @throws NetkitError `unsupported`, `not-permitted`, `tool-missing`, `failed` */
  static async begin(scope: Scope, options: ConversationOptions): Promise<Conversation> {
    const { family, protocol, size, cpu, log } = options;
    const network = new LabNetwork(scope, { family, cpu, log, isAnswered: true });
    const wire = await network.wire();
    const { from, to } = wire;
    // What a socket sends goes past the thread where the other end could segment it.
    setTso(from.place.netns, from.ifname, false);
    log.note(from.place.title, `ethtool -K ${from.ifname} tso off`);
    const route = { family, address: to.endpoint.address, port: requestPort, size };
    const server = await startServer(scope, { netns: to.place.netns, cpu, protocol, route });
    log.note(to.place.title, `a server that answers over ${protocol} on port ${requestPort}`);
    return new Conversation(wire, server, protocol, route);
  }

  /** Nanoseconds that the thread that takes packets, and the server, have been on a CPU. */
  busyNs(): { readonly napi: number; readonly server: number } {
    return { napi: this.wire.napi.busyNs() ?? 0, server: this.server.busyNs() };
  }

  /** Sends requests as `loop` says. @throws NetkitError `failed` */
  run(client: RequestClient, loop: Loop): Promise<RunResult> {
    return client.run(this.wire.from.place.netns, this.#protocol, this.#route, loop);
  }
}
