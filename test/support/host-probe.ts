/**
 * What tests of src/host need to see in a process of its own: `node scripts/run.mjs test/support/host-probe.ts WORD…`.
 * Prints one JSON document.
 */
import { closeSync, readdirSync, readlinkSync } from 'node:fs';
import { NetkitError } from '../../src/base/errors.js';
import { acquireLock } from '../../src/host/lock.js';
import { mountedBpffs } from '../../src/host/mounts.js';
import { currentNetnsInode, netnsName, openNetns, withNetns } from '../../src/host/netns.js';

/** Closes the descriptor through which withNetns would come back. */
function closeHome(except: number): void {
  for (const name of readdirSync('/proc/self/fd')) {
    const fd = Number(name);
    try {
      if (fd !== except && readlinkSync(`/proc/self/fd/${name}`).startsWith('net:[')) closeSync(fd);
    } catch {
      // The descriptor of the listing itself.
    }
  }
}

const [word, argument = ''] = process.argv.slice(2);
try {
  if (word === 'ensure-bpffs') {
    process.stdout.write(JSON.stringify({ path: mountedBpffs(argument === '' ? undefined : argument) }));
  } else if (word === 'strand') {
    using netns = openNetns(argument);
    withNetns(netns, () => {
      closeHome(netns.fd);
    });
    process.stdout.write('"survived"');
  } else if (word === 'enter') {
    using netns = openNetns(argument);
    process.stdout.write(JSON.stringify({ inode: withNetns(netns, currentNetnsInode) }));
  } else if (word === 'own-netns-name') {
    process.stdout.write(JSON.stringify(netnsName(currentNetnsInode())));
  } else if (word === 'hold-lock') {
    await acquireLock(argument, { timeoutMs: 5000, command: 'netkit load held' });
    process.stdout.write('"held"\n');
    setInterval(() => undefined, 1000);
  }
} catch (error) {
  if (!(error instanceof NetkitError)) throw error;
  process.stdout.write(JSON.stringify({ code: error.code, message: error.message, hint: error.hint }));
}
