/** Asks the verifier about one program of an object, and keeps nothing of it. */
import { NetkitError } from '../base/errors.js';
import { missingFor } from '../host/capabilities.js';
import type { ObjectSignature } from '../obj/object-types.js';
import type { ObjectSpec } from '../obj/spec.js';
import type { VerifierStatistics } from '../obj/verifier/statistics.js';
import { readStatistics } from '../obj/verifier/statistics.js';
import { LibbpfFailure } from '../sys/libbpf-log.js';
import { explainLoadFailure } from './load-failure.js';
import { choosePrograms, type LoadOptions, openObject, prepareMaps, refuseKnownProblems } from './prepare.js';
import { VerifierError } from './verifier-error.js';
import { VerdictLogs, wholeLog } from './verifier-log.js';

/** What became of a program that was shown to the verifier. */
export type Verification =
  | { readonly outcome: 'accepted'; readonly statistics: VerifierStatistics; readonly log: string }
  | {
      readonly outcome: 'refused';
      readonly statistics: VerifierStatistics;
      readonly log: string;
      readonly error: VerifierError;
    }
  /** The kernel did not get as far as the verifier: `error` says why. */
  | { readonly outcome: 'not-verified'; readonly error: NetkitError };

/**
 * Loads one program with the maps that the object has, asks what its verification took, and lets go of everything.
 * Whether it is off by default makes no difference. Minimum kernel 5.10.
 *
 * @throws NetkitError `not-found` when the object has no such program; `bad-object`, `unsupported`, `not-permitted` when its maps
 *   cannot be made
 */
export function verify(
  spec: ObjectSpec<ObjectSignature>,
  program: string,
  options: LoadOptions = {},
): Verification {
  const chosen = new Set([spec.program(program).name]);
  try {
    refuseKnownProblems(spec, chosen);
    return loadedAndDropped(spec, program, options, chosen);
  } catch (error) {
    if (error instanceof VerifierError) {
      return { outcome: 'refused', statistics: readStatistics(error.log), log: error.log, error };
    }
    if (error instanceof NetkitError) return { outcome: 'not-verified', error: barred(spec, program, error) };
    throw error;
  }
}

function loadedAndDropped(
  spec: ObjectSpec<ObjectSignature>,
  program: string,
  options: LoadOptions,
  chosen: ReadonlySet<string>,
): Verification {
  try {
    using object = openObject(spec, options);
    choosePrograms(spec, object, chosen, options.targets);
    prepareMaps(spec, object, options.reuse ?? new Map());
    const verdicts = new VerdictLogs(object, chosen);
    try {
      object.load();
    } catch (error) {
      if (!(error instanceof LibbpfFailure)) throw error;
      const verdict = verdicts.of(program);
      throw explainLoadFailure(spec, error, () =>
        verdict === '' ? '' : wholeLog(spec, options, program, verdict),
      );
    }
    const log = verdicts.of(program);
    return { outcome: 'accepted', statistics: readStatistics(log), log };
  } catch (error) {
    throw error instanceof LibbpfFailure ? explainLoadFailure(spec, error) : error;
  }
}

/** Some kernels let nobody load programs of certain types, and say no more than that they do not. */
function barred(spec: ObjectSpec<ObjectSignature>, name: string, error: NetkitError): NetkitError {
  const { type, section } = spec.program(name);
  const lacks = missingFor('load').length + missingFor('load-tracing').length > 0;
  if (error.code !== 'not-permitted' || lacks) return error;
  return new NetkitError(
    'unsupported',
    `this kernel lets nobody load programs of type ${type} (${section}): its verifier was not asked`,
    { details: error.details, cause: error },
  );
}
