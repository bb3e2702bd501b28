import type { NetkitError } from '../../base/errors.js';
import { leaveOtherWays } from '../../cnf/ways-in.js';
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
  const leftOut = options.only.length > 0 ? [] : leaveOut(spec);
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
  const document = { object: path, kernel: kernelRelease(), programs, leftOut };
  output.result(document, (page) => fillVerifyPage(page, document, spec, options.log));
  noteLeftOut(leftOut, (text) => output.note(text));
  if (programs.some(({ outcome }) => outcome === 'refused')) return 7;
  return failures[0]?.exitStatus ?? 0;
};

type LeftOut = DocumentOf<'verify'>['leftOut'];

const offByDefault = 'off by default';

/** Leaves out what `load` would: what is off by default, and of two ways in the one that this kernel does not take. */
function leaveOut(spec: ObjectSpec): LeftOut {
  const off = spec.programs.filter(({ name }) => !spec.chosen.has(name));
  const ways = leaveOtherWays(spec);
  return [
    ...off.map(({ name }) => ({ name, reason: offByDefault })),
    ...ways.flatMap(({ left, text }) => (left === undefined ? [] : [{ name: left, reason: text }])),
  ];
}

function noteLeftOut(leftOut: LeftOut, note: (text: string) => void): void {
  const off = leftOut.filter(({ reason }) => reason === offByDefault);
  if (off.length > 0) {
    const names = off.map(({ name }) => name).join(', ');
    note(`off by default and left out: ${names}; --only names what is to be verified`);
  }
  for (const { name, reason } of leftOut)
    if (reason !== offByDefault) note(`'${name}' is left out: ${reason}`);
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
