import { NetkitError } from '../base/errors.js';
import { capabilityHint, missingFor } from '../host/capabilities.js';
import type { ObjectSignature } from '../obj/object-types.js';
import type { ObjectSpec } from '../obj/spec.js';
import type { LibbpfFailure } from '../sys/libbpf-log.js';
import { readRefusal, VerifierError } from './verifier-error.js';

const logBlock = /prog '([^']+)': -- BEGIN PROG LOAD LOG --\n([\s\S]*?)-- END PROG LOAD LOG --/;
const failedProgram = /prog '([^']+)': (?:BPF program load failed|failed to load)/;
const failedMap = /map '([^']+)': failed to create: (.*?)\(-\d+\)/;
const libbpfLine = /^libbpf: (.*)$/gm;
/** What libbpf prints last, when the real reason stands above. */
const summaries =
  /^(failed to load object|failed to load BPF|prog '.*': failed to load|prog '.*': -- (BEGIN|END))/;

/** Turns a failed libbpf call and its log into the one error that says what is wrong. */
export function explainLoadFailure(spec: ObjectSpec<ObjectSignature>, failure: LibbpfFailure): NetkitError {
  const block = logBlock.exec(failure.log);
  if (block !== null && failure.errnoName !== 'E2BIG' && block[2]?.trim() !== '') {
    const [, program = '', log = ''] = block;
    return verifierError(spec, program, log);
  }
  const lines = [...failure.log.matchAll(libbpfLine)].map((match) => match[1] ?? '');
  const reason = lines.find((line) => !summaries.test(line)) ?? failure.message;
  const program = failedProgram.exec(failure.log)?.[1];
  const context = { details: { errno: failure.errnoName, log: failure.log }, cause: failure };
  if (failure.errnoName === 'EPERM' || failure.errnoName === 'EACCES') {
    return new NetkitError(
      'not-permitted',
      `the kernel does not let this user load ${spec.name}: ${reason}`,
      { ...context, hint: capabilityHint('load') },
    );
  }
  const [, map = '', cause = ''] = failedMap.exec(failure.log) ?? [];
  const size = map === '' ? undefined : spec.mapSizes.get(map);
  if (size !== undefined) {
    return new NetkitError(
      'bad-value',
      `map '${map}' cannot be made with ${size} entries: ${cause}`,
      context,
    );
  }
  if (map !== '') {
    return new NetkitError('unsupported', `the kernel does not make map '${map}': ${cause}`, context);
  }
  if (program !== undefined) {
    const section = spec.programs.find((candidate) => candidate.name === program)?.section ?? 'unknown';
    return new NetkitError(
      'unsupported',
      `the kernel refuses program '${program}' (section ${section}) before looking at its instructions: ${failure.errnoName}`,
      context,
    );
  }
  if (
    failure.errnoName === 'EOPNOTSUPP' ||
    failure.errnoName === 'ENOTSUPP' ||
    failure.errnoName === 'ENOSYS'
  ) {
    return new NetkitError('unsupported', `${spec.name} cannot be loaded: ${reason}`, context);
  }
  return new NetkitError('bad-object', `${spec.name} cannot be loaded: ${reason}`, context);
}

function verifierError(spec: ObjectSpec<ObjectSignature>, program: string, log: string): VerifierError {
  const refusal = readRefusal(log);
  const line = refusal.instruction === undefined ? undefined : spec.sourceLine(program, refusal.instruction);
  const place =
    line === undefined ? refusal.place : { file: line.file, line: line.line, source: line.source };
  const hint = missingFor('load-tracing').includes('perfmon')
    ? 'without CAP_PERFMON the verifier refuses arithmetic on pointers: run as root, or with it'
    : undefined;
  return new VerifierError(program, refusal.reason, place, log, hint);
}
