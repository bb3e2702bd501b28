/** Getting at what the verifier says of one program. */
import { atLeast } from '../host/kernel.js';
import type { ObjectSignature } from '../obj/object-types.js';
import type { ObjectSpec } from '../obj/spec.js';
import * as libbpf from '../sys/libbpf.js';
import { LibbpfFailure } from '../sys/libbpf-log.js';
import { choosePrograms, type LoadOptions, openObject, prepareMaps } from './prepare.js';

/** The verdict and the summary are a few lines. */
const verdictBytes = 16 << 10;
/** Of a log with every instruction. A kernel older than 6.4 keeps the beginning of a longer one, newer ones the end. */
const wayBytes = 16 << 20;
/** Of a log of all ways, which is many times as long. */
const allBytes = 2 << 20;
/** Of a program that goes round and round, a part is enough. */
const roundBytes = 1 << 20;
const tooMuch = /^(BPF program is too large|The sequence of \d+ jumps is too complex)/m;

/** One buffer for each chosen program, into which the verifier writes its verdict and its statistics. */
export class VerdictLogs {
  readonly #buffers = new Map<string, Uint8Array>();

  /** To be called before `object` is loaded; the instance must stay reachable until then. */
  constructor(object: libbpf.LibbpfObject, chosen: ReadonlySet<string>) {
    for (const pointer of object.programs()) {
      const name = libbpf.programName(pointer);
      if (!chosen.has(name)) continue;
      const buffer = new Uint8Array(verdictBytes);
      libbpf.setVerifierLog(pointer, libbpf.logLevels.statistics, buffer);
      this.#buffers.set(name, buffer);
    }
  }

  /** Empty when the kernel refused the program before the verifier saw it, or was not asked. */
  of(program: string): string {
    return textOf(this.#buffers.get(program));
  }
}

/**
 * Loads one refused program again for the whole log. From 5.17 on the kernel prints what each instruction did to
 * registers; before that only a log of all ways has it.
 *
 * @param verdict the log of the statistics alone
 */
export function wholeLog(
  spec: ObjectSpec<ObjectSignature>,
  options: LoadOptions,
  program: string,
  verdict: string,
): string {
  const { way, all, statistics } = libbpf.logLevels;
  const size = tooMuch.test(verdict) ? roundBytes : wayBytes;
  if (!atLeast(5, 17) && size === wayBytes) {
    const { log, isCut } = refusedAgain(spec, options, program, all | statistics, allBytes);
    if (!isCut) return log;
  }
  const { log, isCut } = refusedAgain(spec, options, program, way | statistics, size);
  if (log === '') return verdict;
  return isCut && !log.includes('\nprocessed ')
    ? `${log.slice(0, log.lastIndexOf('\n') + 1)}${verdict}`
    : log;
}

function refusedAgain(
  spec: ObjectSpec<ObjectSignature>,
  options: LoadOptions,
  program: string,
  level: number,
  size: number,
): { log: string; isCut: boolean } {
  using object = openObject(spec, options);
  choosePrograms(spec, object, new Set([program]), options.targets);
  prepareMaps(spec, object, options.reuse ?? new Map());
  const buffer = new Uint8Array(size);
  for (const pointer of object.programs()) {
    if (libbpf.programName(pointer) === program) libbpf.setVerifierLog(pointer, level, buffer);
  }
  try {
    object.load();
  } catch (error) {
    if (!(error instanceof LibbpfFailure)) throw error;
    return { log: textOf(buffer), isCut: error.errnoName === 'ENOSPC' };
  }
  // Refused once and not again: what was said the first time stands.
  return { log: '', isCut: false };
}

function textOf(buffer: Uint8Array | undefined): string {
  if (buffer === undefined) return '';
  const end = buffer.indexOf(0);
  return Buffer.from(buffer.buffer, buffer.byteOffset, end < 0 ? buffer.length : end).toString('utf8');
}
