import { NetkitError } from '../base/errors.js';

/** Between two steps before anything is measured. @throws NetkitError `interrupted` when the user has ended it */
export function goOn(signal: AbortSignal): void {
  if (signal.aborted) throw new NetkitError('interrupted', 'interrupted before anything was measured');
}
