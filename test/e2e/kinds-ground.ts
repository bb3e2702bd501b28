/** What tests of attachments to routes share: a route, and traffic for it. */
import { addressOf, openSocket, sendOn } from '../support/socket-calls.js';
import type { Ground } from './ground.js';

/** Leads nowhere but over a route that a test makes. */
export const elsewhere = '10.99.0.0/24';

/** The words for a route from the attacking host through the defended one. */
export function routeOf({ veth: { a, b } }: Ground): string {
  return `${elsewhere} dev ${a.ifname} via ${b.address}`;
}

/** Sends datagrams to an address of {@link elsewhere}. */
export function sendElsewhere({ veth: { a } }: Ground, count = 1): void {
  const address = addressOf('ipv4', 9);
  address.set([10, 99, 0, 1], 4);
  a.netns.inside(() => {
    using socket = openSocket('ipv4', 'datagram');
    for (let sent = 0; sent < count; sent++) sendOn(socket, address);
  });
}
