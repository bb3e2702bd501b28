// Debian's kernels of several releases, unpacked and kept in the cache.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Suite } from './apt.mjs';
import { cacheFolder } from './cache.mjs';

/** The releases that netkit is tested on, and the Debian suite that has each. */
export const suites = {
  '5.10': 'bullseye',
  6.1: 'bookworm',
  6.12: 'bookworm-backports',
  // sid has the newest, which moves on.
  7.2: 'sid',
};

const aptFolder = join(cacheFolder, 'suites');

/**
 * The unpacked kernel of a release, fetched when the cache has none.
 * @param fresh whether to fetch it anyway
 * @returns its full release, its image, and the folder of its modules
 */
export function kernel(name, fresh) {
  const folder = join(cacheFolder, 'kernels', name);
  if (fresh || !existsSync(folder)) {
    place(folder, (target) => {
      const suite = new Suite(suites[name], aptFolder);
      suite.update();
      suite.unpack(kernelPackages(suite), target);
    });
  }
  // From sid on, everything is below usr.
  const modules = ['usr/lib/modules', 'lib/modules']
    .map((path) => join(folder, path))
    .find((path) => existsSync(path));
  const release = modules === undefined ? undefined : readdirSync(modules)[0];
  const image = [join(folder, `boot/vmlinuz-${release}`), join(modules ?? folder, `${release}/vmlinuz`)].find(
    (path) => existsSync(path),
  );
  if (release === undefined || image === undefined) {
    throw new Error(`${folder} holds no kernel; remove it to fetch it anew`);
  }
  return { release, image, modules: join(modules, release) };
}

/**
 * The packages of the generic kernel: in newer suites, the image, its modules and the lists of what is built in are
 * packages apart.
 */
function kernelPackages(suite) {
  const found = [];
  const follow = (name) => {
    for (const needed of suite.dependencies(name)) {
      if (/^linux-(image|binary|modules|base)-\d/.test(needed) && !found.includes(needed)) {
        found.push(needed);
        follow(needed);
      }
    }
  };
  follow('linux-image-amd64');
  return found;
}

/** A static busybox, which the first process of a virtual machine runs. */
export function busybox() {
  const folder = join(cacheFolder, 'busybox');
  if (!existsSync(folder)) {
    place(folder, (target) => {
      const suite = new Suite('bookworm', aptFolder);
      suite.update();
      suite.unpack(['busybox-static'], target);
    });
  }
  return ['bin/busybox', 'usr/bin/busybox']
    .map((path) => join(folder, path))
    .find((path) => existsSync(path));
}

/** Fills a folder that appears only when it is complete. */
function place(folder, fill) {
  const unfinished = `${folder}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  try {
    fill(unfinished);
    rmSync(folder, { recursive: true, force: true });
    renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}
