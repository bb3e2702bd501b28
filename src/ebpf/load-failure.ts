import { NetkitError } from '../base/errors.js';
import { capabilityHint } from '../host/capabilities.js';
import type { ObjectSignature } from '../obj/object-types.js';
import type { ObjectSpec } from '../obj/spec.js';
import type { LibbpfFailure } from '../sys/libbpf-log.js';
import { refusalOf } from './refusal.js';

const failedProgram = /prog '([^']+)': (?:BPF program load failed|failed to load)/;
const failedMap = /map '([^']+)': failed to create: (.*?)\(-\d+\)/;
const libbpfLine = /^libbpf: (.*)$/gm;
/** What libbpf prints last, when the real reason stands above. */
const summaries =
  /^(failed to load object|failed to load BPF|prog '.*': failed to load|prog '.*': -- (BEGIN|END))/;

/**
 * Turns a failed libbpf call and its log into the one error that says what is wrong.
 *
 * @param logOf what the verifier said of a program, empty when it said nothing
 */
export function explainLoadFailure(
  spec: ObjectSpec<ObjectSignature>,
  failure: LibbpfFailure,
  logOf: (program: string) => string = () => '',
): NetkitError {
  const program = failedProgram.exec(failure.log)?.[1];
  // The kernel stops verifying when a signal waits; libbpf tries five times.
  if (program !== undefined && failure.errnoName === 'EAGAIN') {
    return new NetkitError(
      'failed',
      `the verifier was interrupted by signals each time that it looked at program '${program}'`,
      { hint: 'something sends this process signals all the time, such as a profiler: load without it' },
    );
  }
  const log = program === undefined ? '' : logOf(program);
  if (program !== undefined && log !== '') return refusalOf(spec, program, log);
  const lines = [...failure.log.matchAll(libbpfLine)].map((match) => match[1] ?? '');
  const reason = lines.find((line) => !summaries.test(line)) ?? failure.message;
  const context = { details: { errno: failure.errnoName, log: failure.log }, cause: failure };
  if (failure.errnoName === 'EPERM' || failure.errnoName === 'EACCES') {
    const lacking = capabilityHint('load') ?? capabilityHint('load-tracing');
    if (lacking === undefined && program !== undefined) {
      const section = spec.programs.find(({ name }) => name === program)?.section ?? 'unknown';
      return new NetkitError(
        'not-permitted',
        `the kernel bars program '${program}' (section ${section}): it refuses such programs even to this user, with every capability for them`,
        context,
      );
    }
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
