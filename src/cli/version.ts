import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NetkitError } from '../base/errors.js';
import { packageRoot } from '../host/package-root.js';

/** The version of this netkit. */
export function netkitVersion(): string {
  return packageVersion(join(packageRoot(), 'package.json'));
}

/** The version in a package.json. */
export function packageVersion(file: string): string {
  const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (
    typeof parsed === 'object' &&
    parsed !== null &&
    'version' in parsed &&
    typeof parsed.version === 'string'
  ) {
    return parsed.version;
  }
  throw new NetkitError('failed', `'${file}' has no version`);
}
