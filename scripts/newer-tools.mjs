// `node scripts/newer-tools.mjs [--cached]`: bpftool and xdp-tools of the next Debian release, unpacked into the cache beside
// the libraries that they need, so that they run next to the system's own. Prints the folder.
//
//   --cached   fetches nothing: fails when they are not there, as in a virtual machine without a network
//
// They run through their own loader:
//
//   FOLDER/usr/lib64/ld-linux-x86-64.so.2 --library-path FOLDER/usr/lib/x86_64-linux-gnu FOLDER/usr/sbin/bpftool …
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Suite } from './vm/apt.mjs';
import { cacheFolder } from './vm/cache.mjs';

const suiteName = 'trixie';
const packages = [
  ...['bpftool', 'xdp-tools', 'libxdp1', 'libbpf1'],
  ...['libc6', 'libcap2', 'libelf1t64', 'libpcap0.8t64', 'libzstd1', 'zlib1g'],
];

const folder = join(cacheFolder, 'tools', suiteName);
if (!existsSync(folder)) {
  if (process.argv.includes('--cached')) {
    console.error(`${folder} is not there: run scripts/newer-tools.mjs`);
    process.exit(1);
  }
  // The folder appears only when it is complete.
  const unfinished = `${folder}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  try {
    const suite = new Suite(suiteName, join(cacheFolder, 'suites'));
    suite.update();
    suite.unpack(packages, unfinished);
    if (!existsSync(folder)) {
      renameSync(unfinished, folder);
    }
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}
console.log(folder);
