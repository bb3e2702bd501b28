/** What tests of attachments share that are no links: traffic for them, and what a reboot leaves. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addressOf, openSocket, sendOn } from '../support/socket-calls.js';
import type { Ground } from './ground.js';
import { stateFile } from './hook-ground.js';

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

/** Leaves of a function what a reboot does: the files, as of another boot, and neither pins nor attachments. */
export function reboot(ground: Ground, object: string, name = 'o'): void {
  const path = stateFile(ground, name);
  const state = readFileSync(path, 'utf8');
  ground.does('unload', name);
  const file = /"file": "([^"]+)"/.exec(state)?.[1] ?? '';
  writeFileSync(join(ground.bpffs.stateDir, file), readFileSync(object));
  const other = '"bootId": "00000000-0000-4000-8000-000000000000"';
  writeFileSync(path, state.replace(/"bootId": "[^"]+"/, other));
}
