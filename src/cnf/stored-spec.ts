/** Objects that are kept in the state directory, read where many places are attached to one after another. */
import { statSync } from 'node:fs';
import { ObjectSpec } from '../obj/spec.js';

let last: { readonly file: string; readonly spec: ObjectSpec } | undefined;

/**
 * The object at a path, to be looked at: who makes choices in it reads one of its own. It is not parsed again while the file
 * is the same.
 * @throws NetkitError as `ObjectSpec.readSync`
 */
export function storedSpec(path: string): ObjectSpec {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  const file = `${found?.dev} ${found?.ino} ${found?.mtimeNs} ${path}`;
  if (found !== undefined && last?.file === file) return last.spec;
  const spec = ObjectSpec.readSync(path);
  last = { file, spec };
  return spec;
}
