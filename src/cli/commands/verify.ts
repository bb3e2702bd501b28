import type { NetkitError } from '../../base/errors.js';
import type { Verification } from '../../ebpf/verify.js';
import { verify } from '../../ebpf/verify.js';
import { kernelRelease } from '../../host/kernel.js';
import type { ObjectSpec, ProgramSpec } from '../../obj/spec.js';
import { ObjectSpec as Spec } from '../../obj/spec.js';
import { assignments, sizes } from '../assignments.js';
import type { Command } from '../context.js';
import { objectFile } from '../object-file.js';
import type { DocumentOf } from '../schema/index.js';
import { fillVerifyPage } from '../verify-page.js';

type Verified = DocumentOf<'verify'>['programs'][number];

export const run: Command<'verify'> = async ({ output, signal }, { object }, options) => {
  const path = objectFile(object);
  const spec = await Spec.read(path);
  for (const [variable, text] of Object.entries(assignments(options.set, '--set', 'VAR=VALUE')))
    spec.globals.set(variable, text);
  for (const [map, entries] of Object.entries(sizes(options.mapSize))) spec.setMapSize(map, entries);
  if (options.only.length > 0) spec.only(options.only);
  const chosen = spec.programs.filter(({ name }) => spec.chosen.has(name));
  const failures: NetkitError[] = [];
  const programs: Verified[] = [];
  await output.progress('verifying', async () => {
    for (const program of chosen) {
      // A signal arrives only between two of them.
      await new Promise(setImmediate);
      signal.throwIfAborted();
      const verification = verify(spec, program.name);
      if (verification.outcome === 'not-verified') failures.push(verification.error);
      programs.push(verified(program, verification, options.log));
    }
  });
  const document = { object: path, kernel: kernelRelease(), programs };
  output.result(document, (page) => fillVerifyPage(page, document, spec, options.log));
  leftOut(spec, options.only, (text) => output.note(text));
  if (programs.some(({ outcome }) => outcome === 'refused')) return 7;
  return failures[0]?.exitStatus ?? 0;
};

function leftOut(spec: ObjectSpec, only: readonly string[], note: (text: string) => void): void {
  const off = spec.programs.filter(({ name }) => !spec.chosen.has(name)).map(({ name }) => name);
  if (only.length > 0 || off.length === 0) return;
  note(`off by default and left out: ${off.join(', ')}; --only names what is to be verified`);
}

function verified({ name, section, type }: ProgramSpec, verification: Verification, log: boolean): Verified {
  const base = { name, section, type, outcome: verification.outcome };
  if (verification.outcome === 'not-verified') {
    const { code, message, hint = null } = verification.error;
    return { ...base, statistics: null, refusal: null, error: { code, message, hint }, log: null };
  }
  const { statistics } = verification;
  return {
    ...base,
    statistics: {
      instructions: statistics.processed ?? null,
      limit: statistics.limit ?? null,
      stackBytes:
        statistics.stackDepths.length === 0
          ? null
          : statistics.stackDepths.reduce((sum, depth) => sum + depth),
      stackDepths: [...statistics.stackDepths],
      peakStates: statistics.peakStates ?? null,
      totalStates: statistics.totalStates ?? null,
      maxStatesPerInstruction: statistics.maxStatesPerInstruction ?? null,
      microseconds: statistics.microseconds ?? null,
    },
    refusal: verification.outcome === 'refused' ? refusal(verification.error) : null,
    error: null,
    log: log || verification.outcome === 'refused' ? verification.log : null,
  };
}

function refusal({
  explanation,
  place,
  reason,
  lacking,
}: Extract<Verification, { outcome: 'refused' }>['error']): Verified['refusal'] {
  return {
    rule: explanation?.rule ?? null,
    message: explanation?.message ?? reason,
    mend: explanation?.mend ?? null,
    reason,
    place: place === undefined ? null : { file: place.file, line: place.line, source: place.source },
    registers: (explanation?.registers ?? []).map(({ name, state, words }) => ({ name, state, words })),
    related: (explanation?.related ?? []).map(({ about, place: other }) => ({
      file: other.file,
      line: other.line,
      source: other.source,
      about,
    })),
    hint: lacking ?? null,
  };
}
