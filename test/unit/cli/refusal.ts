import { NetkitError } from '../../../src/base/errors.js';

/** The error that `run` must end with. */
export function refusal(run: () => unknown): NetkitError {
  try {
    run();
  } catch (error) {
    if (error instanceof NetkitError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
