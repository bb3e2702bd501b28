import { NetkitError } from '../base/errors.js';

/** Why the signal of a command is aborted when its standard output cannot be written any more. */
export class LostOutput extends NetkitError {
  /** Whether its reader went away, as `head` does when it has seen enough. */
  readonly isClosed: boolean;

  constructor(error: NodeJS.ErrnoException) {
    const isClosed = error.code === 'EPIPE';
    const why = isClosed ? 'was closed' : `cannot be written: ${error.message}`;
    super('failed', `standard output ${why}`, { cause: error });
    this.isClosed = isClosed;
  }
}

/** Undefined when standard output can be written, or the user interrupted before. */
export function lostOutput(signal: AbortSignal): LostOutput | undefined {
  return signal.reason instanceof LostOutput ? signal.reason : undefined;
}
