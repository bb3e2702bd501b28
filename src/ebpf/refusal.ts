/** From what the verifier said of a program of an object to the error that explains it. */
import { readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { missingFor } from '../host/capabilities.js';
import type { ObjectSignature } from '../obj/object-types.js';
import type { ObjectSpec } from '../obj/spec.js';
import { explain } from '../obj/verifier/explain.js';
import type { ExplanationContext, RefusalRule } from '../obj/verifier/explanation.js';
import { placedFunctions } from '../obj/verifier/functions.js';
import { readLog } from '../obj/verifier/log.js';
import { placeOf } from '../obj/verifier/place.js';
import { VerifierError } from './verifier-error.js';

/** Sources of programs are smaller. */
const largestSource = 4 << 20;
/** What the verifier lets those with CAP_PERFMON do. */
const perfmonRules: ReadonlySet<RefusalRule> = new Set([
  'pointer-arithmetic',
  'stack-uninitialised',
  'stack-bounds',
  'return-value',
]);

/** @param log what the verifier said of it */
export function refusalOf(spec: ObjectSpec<ObjectSignature>, program: string, log: string): VerifierError {
  const context = explanationContext(spec, program, (file) => sourceText(spec.path, file));
  const explanation = explain(log, context);
  const read = readLog(log);
  const place = explanation?.place ?? placeOf(read, context, read.steps.at(-1)?.index).place;
  const isLacking = missingFor('load-tracing').includes('perfmon');
  const lacking =
    isLacking && (explanation === undefined || perfmonRules.has(explanation.rule))
      ? 'without CAP_PERFMON the verifier refuses arithmetic on pointers, and more: run as root, or with it'
      : undefined;
  return new VerifierError(program, {
    reason: explanation?.reason ?? read.reason,
    place,
    explanation,
    log,
    lacking,
  });
}

/** What an explanation needs to know of a program. @param read the lines of a source file */
export function explanationContext(
  spec: ObjectSpec<ObjectSignature>,
  program: string,
  read: (file: string) => readonly string[] | undefined,
): ExplanationContext {
  const texts = new Map<string, readonly string[] | undefined>();
  return {
    programType: spec.program(program).type,
    functions: placedFunctions(spec.listing(program)),
    line(instruction) {
      const line = spec.sourceLine(program, instruction);
      return line === undefined ? undefined : { ...line, file: line.file.replace(/^(?:\.\/)+/, '') };
    },
    source(file) {
      if (!texts.has(file)) texts.set(file, read(file));
      return texts.get(file);
    },
  };
}

/**
 * The lines of a source file, looked for from the current folder, and from the object's and the two above it: objects are
 * often built into a folder below the sources. It may be another version of the file: whoever shows it compares the line.
 */
export function sourceText(object: string | undefined, file: string): readonly string[] | undefined {
  const beside = object === undefined ? '.' : dirname(object);
  const folders = isAbsolute(file) ? ['.'] : ['.', beside, join(beside, '..'), join(beside, '../..')];
  for (const folder of folders) {
    const text = textOf(resolve(folder, file));
    if (text !== undefined) return text.split('\n');
  }
  return undefined;
}

function textOf(path: string): string | undefined {
  try {
    const found = statSync(path);
    return found.isFile() && found.size <= largestSource ? readFileSync(path, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}
