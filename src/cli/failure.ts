import { messageOf, NetkitError } from '../base/errors.js';
import { toJson } from '../base/json.js';
import { problemLines } from '../base/problem-line.js';
import { fileError } from '../host/file-errors.js';
import type { Io } from './io.js';
import { lostOutput } from './lost-output.js';
import { schemaVersion } from './output.js';
import { blockText, cellText } from './page.js';

/** An error that tells what state things are in: it is shown as it is, even when the user interrupted meanwhile. */
export class ToldFailure extends NetkitError {}

export interface FailureStyle {
  readonly json: boolean;
  readonly jsonStrings: boolean;
  /** Stack traces: for `--log-level debug` only. */
  readonly debug: boolean;
}

/** How errors are to be shown, when the options themselves may be what is wrong. */
export function guessStyle(argv: readonly string[]): FailureStyle {
  const end = argv.indexOf('--');
  const words = argv.slice(0, end < 0 ? argv.length : end);
  const jsonStrings = words.includes('--json-strings');
  const debug = words.some((word, index) => {
    return word === '--log-level=debug' || (word === '--log-level' && words[index + 1] === 'debug');
  });
  return { json: jsonStrings || words.includes('--json'), jsonStrings, debug };
}

/** Says what went wrong on standard error, and returns the exit status. */
export function reportFailure(io: Io, thrown: unknown, style: FailureStyle): number {
  const error = asNetkitError(io, thrown);
  // There was more to print and nobody to read it: that is said, if at all, at the end of the process.
  if (error.code === 'interrupted' && lostOutput(io.signal) !== undefined) return error.exitStatus;
  if (style.json) {
    const { code, message, hint = null, details } = error;
    const bigints = style.jsonStrings ? 'string' : 'number';
    io.stderr.write(`${toJson({ error: { code, message, hint, details }, schemaVersion }, { bigints })}\n`);
  } else {
    // Each mistake in a file has a line, which begins as compilers' do, so that editors find the place.
    const [first = error.message, ...others] = problemLines(error.details);
    io.stderr.write(`netkit: ${oneLine(first)}\n`);
    for (const line of others) io.stderr.write(`${oneLine(line)}\n`);
    if (error.hint !== undefined) io.stderr.write(`hint: ${oneLine(error.hint)}\n`);
  }
  if (style.debug) io.stderr.write(`${logOf(error)}${stackOf(thrown)}\n`);
  return error.exitStatus;
}

/** What a user is to see of anything that was thrown. */
export function asNetkitError(io: Pick<Io, 'signal'>, thrown: unknown): NetkitError {
  if (thrown instanceof ToldFailure) return thrown;
  if (io.signal.aborted && !(thrown instanceof NetkitError && thrown.code === 'interrupted')) {
    return new NetkitError('interrupted', 'interrupted', { cause: thrown });
  }
  if (thrown instanceof NetkitError) return thrown;
  if (isFileError(thrown)) return fileError(thrown, thrown.syscall, thrown.path);
  return new NetkitError('failed', messageOf(thrown), { cause: thrown });
}

/** What Node's file functions throw. */
function isFileError(thrown: unknown): thrown is Error & { readonly syscall: string; readonly path: string } {
  if (!(thrown instanceof Error) || !('syscall' in thrown) || !('path' in thrown)) return false;
  return typeof thrown.syscall === 'string' && typeof thrown.path === 'string';
}

function oneLine(text: string): string {
  return cellText(text.trim().replace(/\s*\n\s*/g, ' '));
}

/** What the verifier or libbpf said, whole. */
function logOf({ details }: NetkitError): string {
  return typeof details.log === 'string' ? blockText(`${details.log.trimEnd()}\n`) : '';
}

function stackOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const cause = thrown.cause === undefined ? '' : `\ncaused by: ${stackOf(thrown.cause)}`;
  return `${thrown.stack ?? thrown.message}${cause}`;
}
