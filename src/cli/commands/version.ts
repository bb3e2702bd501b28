import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { release } from 'node:os';
import { basename, join } from 'node:path';
import { packageRoot } from '../../host/package-root.js';
import type { Command } from '../context.js';
import { netkitVersion, packageVersion } from '../version.js';

export const run: Command<'version'> = async ({ output }) => {
  const versions = {
    netkit: netkitVersion(),
    node: process.versions.node,
    koffi: koffiVersion(),
    libbpf: libbpfVersion(),
    kernel: release(),
  };
  output.result(versions, (page) => page.fields(Object.entries(versions)));
};

function koffiVersion(): string | null {
  try {
    const main = createRequire(join(packageRoot(), 'package.json')).resolve('koffi');
    // It does not export its package.json, which is in the folder that has its name.
    const end = main.lastIndexOf('/koffi/') + '/koffi/'.length;
    return packageVersion(join(main.slice(0, end), 'package.json'));
  } catch {
    return null;
  }
}

/** From the library's file name, since loading it would take longer than all the rest. */
function libbpfVersion(): string | null {
  const machine: Record<string, string> = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };
  const folders = [
    `/usr/lib/${machine[process.arch] ?? process.arch}`,
    '/usr/lib64',
    '/usr/lib',
    '/usr/local/lib',
  ];
  for (const folder of folders) {
    try {
      const file = basename(realpathSync(join(folder, 'libbpf.so.1')));
      return file.replace(/^libbpf\.so\./, '');
    } catch {
      // Not in this folder.
    }
  }
  return null;
}
