/** The objects of the functions that come with netkit. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { NetkitError } from '../base/errors.js';
import { suggestion } from '../base/suggest.js';
import { packageRoot } from '../host/package-root.js';

const suffix = '.bpf.o';

/** What a built-in function is named by where the path of an object may stand, before its name. */
export const builtinPrefix = 'builtin:';

/** The path of the object of a function that comes with netkit. @throws NetkitError `not-found`, with the name that was probably meant */
export function builtinObject(name: string): string {
  const folder = join(packageRoot(), 'dist/bpf');
  const names = builtins(folder);
  if (names.includes(name)) return join(folder, `${name}${suffix}`);
  throw new NetkitError('not-found', `no function '${name}' comes with netkit`, {
    hint: suggestion(name, names),
  });
}

function builtins(folder: string): string[] {
  try {
    return readdirSync(folder).flatMap((file) =>
      file.endsWith(suffix) ? [file.slice(0, -suffix.length)] : [],
    );
  } catch {
    // A checkout that was built without clang has none.
    return [];
  }
}
