/** The mistakes of all files together, as one error. */
import { NetkitError } from '../../base/errors.js';
import { type Problem, problemLine } from '../../base/problem-line.js';

/** More than anybody reads; the rest is counted. */
const mostListed = 1000;

/**
 * The error for what is wrong with manifests: `bad-manifest`, with `details.problems`. For problems that are found later
 * too, when the machine and the objects are known.
 * @param problems at least one, in the order of the files
 */
export function manifestError(problems: readonly Problem[]): NetkitError {
  const [first, ...others] = problems;
  if (first === undefined) throw new TypeError('an error without a problem');
  return new NetkitError(
    'bad-manifest',
    `${problemLine(first)}${others.length === 0 ? '' : ` and ${others.length} more`}`,
    {
      details: {
        problems: problems.slice(0, mostListed).map((problem) => ({ ...problem })),
        count: problems.length,
      },
    },
  );
}
