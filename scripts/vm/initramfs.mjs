// The first file system of a virtual machine: busybox, the kernel's modules, and the script that goes on to the host's.
import { readFileSync } from 'node:fs';
import { cpioArchive, file, folder } from './cpio.mjs';
import { modulesToInsert } from './modules.mjs';

/**
 * @param modules folder of the kernel's modules
 * @param busybox path of a static busybox
 * @param settings variables for init.sh
 */
export function initramfs(modules, busybox, settings) {
  const inserted = modulesToInsert(modules);
  const order = inserted.map(({ name, parameters }) => `${name} ${parameters}\n`);
  const variables = Object.entries(settings).map(([name, value]) => `${name}='${shellQuoted(value)}'\n`);
  return cpioArchive([
    ...['bin', 'dev', 'modules', 'proc', 'sys', 'host', 'writable', 'system'].map(folder),
    file('bin/busybox', readFileSync(busybox), 0o755),
    file('init', readFileSync(new URL('init.sh', import.meta.url)), 0o755),
    file('settings', variables.join('')),
    file('modules/order', order.join('')),
    ...inserted.map(({ name, content }) => file(`modules/${name}.ko`, content)),
  ]);
}

function shellQuoted(text) {
  return text.replaceAll("'", "'\\''");
}
