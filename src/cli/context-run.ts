/** Running programs that take no packet but a context: those of type `syscall`. */
import { NetkitError } from '../base/errors.js';
import type { Program } from '../ebpf/program.js';
import type { DocumentOf } from './schema/index.js';

/** What the program gets and what it gives back, as the document of `prog run` has it. */
export function runWithContext(
  program: Program,
  text: string | undefined,
): DocumentOf<'prog run'>['runs'][number] {
  const given = text === undefined ? new Uint8Array() : contextOf(text);
  const { result, context } = program.run({ context: given });
  return {
    in: Buffer.from(given).toString('hex'),
    out: context.length === 0 ? null : Buffer.from(context).toString('hex'),
    verdict: result,
    verdictName: null,
    repeat: 1,
    nanoseconds: null,
  };
}

function contextOf(text: string): Uint8Array {
  const digits = text.replaceAll(/[\s:]/g, '');
  if (/^([0-9a-f]{2})+$/i.test(digits)) return Uint8Array.from(Buffer.from(digits, 'hex'));
  throw new NetkitError('usage', `--context: '${text}' is not a run of bytes in hexadecimal`);
}
