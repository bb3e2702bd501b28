import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { NetkitError } from '../base/errors.js';
import { suggestion } from '../base/suggest.js';
import { packageRoot } from '../host/package-root.js';

const prefix = 'builtin:';
const suffix = '.bpf.o';

/**
 * The path of an object that a user names: a file, or `builtin:NAME` for a function that comes with netkit.
 * @throws NetkitError `not-found` for an unknown builtin, with the name that was probably meant
 */
export function objectFile(text: string): string {
  if (text.endsWith('.c')) {
    throw new NetkitError('bad-object', `${text} is C source, not an object file`, {
      hint: `compile it first: netkit build ${text}`,
    });
  }
  if (!text.startsWith(prefix)) return text;
  const folder = join(packageRoot(), 'dist/bpf');
  const names = builtins(folder);
  const name = text.slice(prefix.length);
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
