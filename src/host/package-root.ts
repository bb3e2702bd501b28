import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NetkitError } from '../base/errors.js';

let found: string | undefined;

/**
 * The directory of the netkit package, which holds `bpf/`, `schemas/` and `man/`: the checkout when run from its
 * sources or from `dist`, the installed package otherwise. Throws 'failed' when netkit was bundled away from it.
 */
export function packageRoot(): string {
  found ??= packageRootAbove(dirname(fileURLToPath(import.meta.url)));
  return found;
}

/** The nearest directory, from `start` upwards, whose package.json is netkit's. */
export function packageRootAbove(start: string): string {
  for (let directory = start; ; directory = dirname(directory)) {
    if (packageName(directory) === 'netkit') return directory;
    if (dirname(directory) === directory) {
      throw new NetkitError('failed', `the files of the netkit package are not found above '${start}'`, {
        hint: 'leave netkit out of the bundle (as an external package)',
      });
    }
  }
}

function packageName(directory: string): unknown {
  try {
    const parsed: unknown = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
    return typeof parsed === 'object' && parsed !== null && 'name' in parsed ? parsed.name : undefined;
  } catch {
    return undefined;
  }
}
