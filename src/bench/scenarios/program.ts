/** `netkit bench program`: what a run of a program costs, beside an empty one or another one, after a look at what both do. */
import { counted } from '../../base/counted.js';
import { NetkitError } from '../../base/errors.js';
import type { Scope } from '../../base/scope.js';
import { load } from '../../ebpf/load.js';
import type { LoadedObject } from '../../ebpf/loaded-object.js';
import { emptyProgram, hasEmptyProgram, syntheticPacket } from '../../ebpf/profile/empty-program.js';
import { ObjectSpec } from '../../obj/spec.js';
import type { BenchCheck, BenchMetric } from '../document.js';
import { placedAlone } from '../lab/placement.js';
import type { Group, PrepareContext, Prepared, Scenario, Variant } from '../scenario.js';
import { chosenProgram } from './program/choose.js';
import { Copies, type Copy, isQuickToLoad, type Loading } from './program/copies.js';
import { repeatsFor, timeRuns } from './program/timing.js';

/** A program of an object file. */
export interface ProgramChoice {
  readonly path: string;
  /** Undefined when the object has only one that runs on packets. */
  readonly program: string | undefined;
}

export interface ProgramOptions {
  readonly object: ProgramChoice;
  /** What it is measured against; an empty program when undefined. */
  readonly against: ProgramChoice | undefined;
  /** From their Ethernet headers on; one at least. */
  readonly packets: readonly Uint8Array[];
  /** What the packets are, for the report. */
  readonly packetsText: string;
  /** Whether the kernel runs programs of a type on packets. */
  runsOnPackets(type: string): boolean;
  /** `drop` for 1 of an XDP program. */
  verdictText(type: string, returned: number): string;
}

const metrics: readonly BenchMetric[] = [
  { name: 'time', title: 'Time of a run', unit: 'ns', better: 'lower', isMain: true },
  { name: 'spread', title: 'Spread from call to call', unit: 'share', better: 'neither', isMain: false },
  { name: 'instructions', title: 'Instructions', unit: 'instructions', better: 'neither', isMain: false },
  { name: 'native', title: 'Native code', unit: 'bytes', better: 'neither', isMain: false },
];

const sliceSeconds = 0.1;

export function programScenario(options: ProgramOptions): Scenario {
  const { object, against } = options;
  const title = `What does a run of ${nameOf(object)} cost${against === undefined ? '' : `, against ${nameOf(against)}`}?`;
  return { name: 'program', title, sliceSeconds, prepare: (context) => prepare(options, context) };
}

/** A program that is measured, and what it does with each packet. */
interface Subject {
  readonly title: string;
  readonly loading: Loading;
  readonly type: string;
  readonly description: string;
  readonly outcomes: readonly Outcome[];
}

interface Outcome {
  readonly verdict: number;
  readonly output: Buffer;
}

async function prepare(
  options: ProgramOptions,
  { scope, signal, progress }: PrepareContext,
): Promise<Prepared> {
  const { object, against, packets, packetsText } = options;
  const cpu = placedAlone(scope);
  progress('loading');
  const subject = await subjectOf(object, options);
  const other = against === undefined ? undefined : await subjectOf(against, options);
  if (other !== undefined && other.type !== subject.type) {
    throw new NetkitError(
      'usage',
      `${subject.title} is of type ${subject.type}, ${other.title} of type ${other.type}: they cannot be compared`,
    );
  }
  const hasFloor = hasEmptyProgram(subject.type);
  const all = [subject, ...(other === undefined ? [] : [other])];
  const isChanging = all.some((each) => changesPackets(each, packets));
  const measuring = { packets, isChanging, signal, scope };
  const empty = (name: string, role: Variant['role']): Variant[] =>
    hasFloor ? [emptyVariant(name, role, subject.type, measuring)] : [];
  const again = (of: Subject): Variant => variantOf('control', 'control', of, measuring, []);
  const variants = (): Variant[] => {
    const measured = variantOf(
      'program',
      'variant',
      subject,
      measuring,
      differences(subject, other, options),
    );
    if (other !== undefined) {
      const reference = variantOf('against', 'reference', other, measuring, []);
      return [measured, reference, again(other), ...empty('empty', 'variant')];
    }
    if (hasFloor) return [measured, ...empty('empty', 'reference'), ...empty('control', 'control')];
    // Where nothing empty can be run, the program is compared with itself, which tells the noise.
    return [{ ...measured, role: 'reference' }, again(subject)];
  };
  const group: Group = {
    name: 'run',
    title: 'One run on one packet',
    axis: null,
    metrics,
    variants: variants(),
  };
  return {
    groups: [group],
    environment: () => ({
      placement: [{ what: 'netkit, in whose system calls the programs run', cpus: [cpu] }],
    }),
    notes: () => [
      `Packets: ${packetsText}.`,
      `Test runs of the kernel, ${isChanging ? 'one run a call, since a run changes the packet for those after it' : 'many runs a call'}: caches are warm, and there is no network card.`,
      'The time of the empty program is what test runs cost by themselves; it is part of all others.',
      ...all.map(({ title, description }) => `${title}: ${description}.`),
      ...all.map(({ title, loading }) =>
        loading.isRenewed
          ? `${title} is loaded anew for each slice: where a copy lies in memory is part of the noise, not of the result.`
          : `${title} takes too long to load to be loaded more than once: a difference of some percent may be that of where its copies lie in memory.`,
      ),
    ],
  };
}

async function subjectOf(choice: ProgramChoice, options: ProgramOptions): Promise<Subject> {
  const spec = await ObjectSpec.read(choice.path);
  const name = chosenProgram(spec, choice.program, options.runsOnPackets);
  spec.only([name]);
  const started = performance.now();
  using object = load(spec);
  const isRenewed = isQuickToLoad((performance.now() - started) / 1000, sliceSeconds);
  const program = object.program(name);
  const info = program.info();
  const maps = [...object.maps.values()].map((map) => map.info);
  const sizes = maps.map(
    ({ name: mapName, type, keySize, valueSize, maxEntries }) =>
      `${mapName} (${type}, ${maxEntries} × ${keySize}+${valueSize} bytes)`,
  );
  return {
    title: nameOf({ ...choice, program: name }),
    loading: { isRenewed, load: () => copyOf(load(spec), name) },
    type: info.type,
    description: `${counted(info.translatedBytes / 8, 'instruction')}, ${info.jitedBytes === 0 ? 'interpreted' : `${info.jitedBytes} bytes of native code`}, ${sizes.length === 0 ? 'no maps' : `maps ${sizes.join(', ')}`}`,
    outcomes: options.packets.map((data) => {
      const { verdict, data: output } = program.testRun({ data });
      return { verdict, output: Buffer.from(output) };
    }),
  };
}

function changesPackets({ outcomes }: Subject, packets: readonly Uint8Array[]): boolean {
  return outcomes.some(({ output }, index) => output.length > 0 && !output.equals(packets[index] ?? output));
}

/** What both do with each packet, and where they differ. */
function differences(
  { outcomes, type }: Subject,
  other: Subject | undefined,
  { verdictText }: ProgramOptions,
): BenchCheck[] {
  const counts = new Map<string, number>();
  for (const { verdict } of outcomes) {
    const word = verdictText(type, verdict);
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const said = `${counted(outcomes.length, 'packet')}: ${[...counts].map(([word, count]) => `${count} ${word}`).join(', ')}`;
  if (other === undefined) return [{ name: 'verdict', ok: true, detail: said }];
  const wrong = outcomes.findIndex(({ verdict }, at) => verdict !== other.outcomes[at]?.verdict);
  const changed = outcomes.findIndex(
    ({ output }, at) => !output.equals(other.outcomes[at]?.output ?? output),
  );
  const verdict = (subject: { outcomes: readonly Outcome[] }): string =>
    verdictText(type, subject.outcomes[wrong]?.verdict ?? 0);
  return [
    {
      name: 'verdict',
      ok: wrong < 0,
      detail:
        wrong < 0
          ? `${said}, as of ${other.title}`
          : `packet ${wrong + 1}: ${verdict({ outcomes })}, of ${other.title} ${verdict(other)}`,
    },
    {
      name: 'packet',
      ok: changed < 0,
      detail:
        changed < 0
          ? 'packets leave both as the same bytes'
          : `packet ${changed + 1} leaves the two as different bytes`,
    },
  ];
}

interface Measuring {
  readonly packets: readonly Uint8Array[];
  /** A run changes the packet for those after it in the same call. */
  readonly isChanging: boolean;
  readonly signal: AbortSignal;
  readonly scope: Scope;
}

function variantOf(
  name: string,
  role: Variant['role'],
  { title, loading, description }: Subject,
  measuring: Measuring,
  checks: readonly BenchCheck[],
): Variant {
  const texts = { title: role === 'control' ? `${title}, again` : title, description };
  return { name, role, ...texts, check: async () => checks, measure: timed(loading, measuring) };
}

function emptyVariant(name: string, role: Variant['role'], type: string, measuring: Measuring): Variant {
  return {
    name,
    role,
    title: role === 'control' ? 'an empty program, again' : 'an empty program',
    description: `returns 0; of type ${type}`,
    check: async () => [],
    measure: timed({ isRenewed: true, load: () => emptyCopy(type) }, measuring),
  };
}

function emptyCopy(type: string): Copy {
  const program = emptyProgram(type);
  return { program, [Symbol.dispose]: () => program[Symbol.dispose]() };
}

function copyOf(object: LoadedObject, name: string): Copy {
  return { program: object.program(name), [Symbol.dispose]: () => object[Symbol.dispose]() };
}

function timed(loading: Loading, { packets, isChanging, signal, scope }: Measuring): Variant['measure'] {
  const copies = new Copies(scope, loading);
  const { translatedBytes, jitedBytes } = copies.program.info();
  const [packet = syntheticPacket()] = packets;
  const repeats = repeatsFor(copies.program, packet, isChanging);
  return async (wanted) => {
    copies.renew();
    const { program } = copies;
    try {
      const { nsPerRun, spread, seconds } = timeRuns(program, packets, repeats, wanted);
      const values = { time: nsPerRun, instructions: translatedBytes / 8, native: jitedBytes };
      return { seconds, values: spread === undefined ? values : { ...values, spread } };
    } catch (error) {
      // A signal ends a long test run in the kernel before anything here can know of it.
      await new Promise((resolve) => setImmediate(resolve));
      if (signal.aborted) return undefined;
      throw error;
    }
  };
}

function nameOf({ path, program }: ProgramChoice): string {
  const file = path.slice(path.lastIndexOf('/') + 1).replace(/(\.bpf)?\.o$/, '');
  return program === undefined ? file : `${file}/${program}`;
}
