import { Scope } from '../base/scope.js';
import { isErrno } from '../sys/errno.js';
import { type LinkMessage, LinkSockets } from '../sys/link-messages.js';
import { Readiness } from '../sys/readiness.js';
import type { InterfaceEvent } from './interface-event.js';
import { openNetns, withNetns } from './netns.js';

/** Datagrams that are read before others have their turn on the event loop. */
const datagramsAtOnce = 200;

/** The interfaces of one network namespace, and what becomes of them. Keeps the namespace alive until it is disposed of. */
export class FollowedNetns implements Disposable {
  /** Identifies the namespace while this is there; undefined for the one of this process, which is never another. */
  readonly inode: number | undefined;
  /** The file that it was opened from; undefined for the one of this process. */
  readonly path: string | undefined;
  readonly #ref: string | null;
  readonly #sockets: LinkSockets;
  readonly #readiness: Readiness;
  readonly #scope: Scope;
  #known: Map<number, LinkMessage>;
  /** Whether messages were lost, and the list was not read since. */
  #isBehind = false;

  /** @param ref as in {@link openNetns}; null for the namespace of this process. @throws as that does, and SysError */
  constructor(ref: string | null) {
    using scope = new Scope();
    // Its file is not kept open: others could not unmount it.
    using netns = ref === null ? undefined : openNetns(ref);
    this.#ref = ref;
    this.inode = netns?.inode;
    this.path = netns?.path;
    this.#sockets = scope.use(withNetns(netns, () => new LinkSockets()));
    // Listening comes before listing, so that nothing falls between.
    this.#known = byIndex(this.#sockets.list());
    this.#readiness = scope.use(Readiness.withoutHeartbeat(this.#sockets.fd));
    this.#scope = scope.move();
  }

  /** An event of this kind for each interface that is there. */
  everyInterface(kind: 'appeared' | 'gone'): InterfaceEvent[] {
    return [...this.#known.values()].flatMap((link) =>
      kind === 'appeared' ? this.#appeared(link) : [this.#event('gone', link)],
    );
  }

  /** What happened since. @returns whether more may have, which is left for the next call */
  changes(): { readonly events: InterfaceEvent[]; readonly hasMore: boolean } {
    const events: InterfaceEvent[] = [];
    for (let count = 0; count < datagramsAtOnce; count++) {
      const messages = this.#received();
      if (messages === 'lost') this.#isBehind = true;
      else if (messages !== undefined) events.push(...messages.flatMap((message) => this.#take(message)));
      // What was kept is older than the list: read after it, it would bring back what was before.
      else if (this.#isBehind) events.push(...this.#lookAgain());
      else return { events, hasMore: false };
    }
    return { events, hasMore: true };
  }

  /** Resolves when there may be changes, or this was disposed of. */
  wait(): Promise<void> {
    return this.#readiness.wait();
  }

  [Symbol.dispose](): void {
    this.#scope[Symbol.dispose]();
  }

  #received(): LinkMessage[] | 'lost' | undefined {
    try {
      return this.#sockets.receive();
    } catch (error) {
      if (isErrno(error, 'ENOBUFS')) return 'lost';
      throw error;
    }
  }

  #lookAgain(): InterfaceEvent[] {
    this.#isBehind = false;
    const now = byIndex(this.#sockets.list());
    const gone = [...this.#known.values()].filter(({ ifindex }) => !now.has(ifindex));
    return [
      { kind: 'lost', netns: this.#ref },
      ...gone.flatMap((link) => this.#take({ ...link, isGone: true })),
      ...[...now.values()].flatMap((link) => this.#take(link)),
    ];
  }

  /** The difference that a message makes: most of them tell of something else, such as a queue or an address. */
  #take(link: LinkMessage): InterfaceEvent[] {
    const { ifindex, ifname, isUp } = link;
    const before = this.#known.get(ifindex);
    if (link.isGone) {
      this.#known.delete(ifindex);
      return before === undefined ? [] : [this.#event('gone', before)];
    }
    this.#known.set(ifindex, link);
    if (before === undefined) return this.#appeared(link);
    const renamed: InterfaceEvent[] =
      before.ifname === ifname
        ? []
        : [{ kind: 'renamed', netns: this.#ref, ifname, ifindex, before: before.ifname }];
    return before.isUp === isUp ? renamed : [...renamed, this.#event(isUp ? 'up' : 'down', link)];
  }

  #appeared(link: LinkMessage): InterfaceEvent[] {
    return link.isUp
      ? [this.#event('appeared', link), this.#event('up', link)]
      : [this.#event('appeared', link)];
  }

  #event(kind: 'appeared' | 'gone' | 'up' | 'down', { ifname, ifindex }: LinkMessage): InterfaceEvent {
    return { kind, netns: this.#ref, ifname, ifindex };
  }
}

function byIndex(links: readonly LinkMessage[]): Map<number, LinkMessage> {
  return new Map(links.map((link) => [link.ifindex, link]));
}
