/** What cannot be done without harm, in the words of manifests and of the commands that apply them. */
import { NetkitError } from '../../base/errors.js';
import { describeTarget } from '../hooks/index.js';
import type { ReplaceProposal } from '../replace-function.js';
import type { FunctionPlan } from './plan-function.js';

/** @throws NetkitError `unsupported` for what would be attached anew, where that is not allowed */
export function refuseGaps(plans: readonly FunctionPlan[], allowGap: boolean): void {
  for (const { name, steps } of plans) {
    for (const step of steps) {
      if (step.kind !== 'detach' || !step.gap || allowGap) continue;
      throw new NetkitError(
        'unsupported',
        `${name}/${step.link.program} on ${describeTarget(step.link)} cannot be changed in place: for a moment it would not run there`,
        { hint: "'--allow-gap' has it attached anew all the same" },
      );
    }
  }
}

/** The proposal, or an error that says in the words of manifests what can be done about a map that cannot be kept. */
export async function explained(planned: Promise<ReplaceProposal>): Promise<ReplaceProposal> {
  try {
    return await planned;
  } catch (error) {
    if (!(error instanceof NetkitError) || typeof error.details.map !== 'string') throw error;
    throw new NetkitError(error.code, error.message, {
      hint: `'keep: false' for '${error.details.map}' has it begin anew with each upgrade`,
      details: error.details,
      cause: error,
    });
  }
}
