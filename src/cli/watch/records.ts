/** `map watch` of a ring buffer or perf event array. */
import { counted } from '../../base/counted.js';
import { NetkitError } from '../../base/errors.js';
import { Scope } from '../../base/scope.js';
import type { EventBatch } from '../../ebpf/event-batch.js';
import type { EventBuffer } from '../../ebpf/event-buffer.js';
import type { BpfMap } from '../../ebpf/map.js';
import { PerfBuffer } from '../../ebpf/perf-buffer.js';
import { RingBuffer } from '../../ebpf/ring-buffer.js';
import { ringReaders } from '../../host/map-readers.js';
import type { Codec } from '../../obj/codec/index.js';
import type { CommandContext } from '../context.js';
import { JsonLines, TextLines } from './lines.js';
import { lostMap } from './lost-map.js';
import { type RecordTypeOptions, recordCodec } from './record-type.js';

export interface RecordOptions extends RecordTypeOptions {
  readonly lost?: string | undefined;
  readonly takeOver: boolean;
  readonly count?: number | undefined;
}

/** How often it is looked whether more records were lost. */
const lostMilliseconds = 1000;

export async function watchRecords(
  context: CommandContext<'map watch'>,
  reference: string,
  map: BpfMap,
  options: RecordOptions,
  signal: AbortSignal,
): Promise<void> {
  const codec = await recordCodec(context, reference, map, options);
  using scope = new Scope();
  const buffer = scope.use(await openBuffer(context, reference, map, codec, options));
  const lost = scope.use(new LostReport(context, buffer));
  const misfits = new Misfits(context, codec);
  const json = context.options.json;
  const lines = json ? new JsonLines(context.options.jsonStrings) : new TextLines(codec);
  context.output.debug(`watching ${reference}${codec === undefined ? '' : ` for ${codec.typeName}`}`);
  const what = codec === undefined ? 'records, of no known type' : `records of ${codec.typeName}`;
  context.output.remark(`watching ${reference} for ${what}; Ctrl-C ends it`);
  for await (const batch of buffer.batches({ signal, records: options.count })) {
    misfits.add(batch);
    if (!(await context.output.bytes(lines.records(batch)))) return;
    lost.due();
  }
  lost.now();
  misfits.end();
}

async function openBuffer(
  context: CommandContext,
  reference: string,
  map: BpfMap,
  codec: Codec | undefined,
  { lost, takeOver }: RecordOptions,
): Promise<EventBuffer> {
  const { output } = context;
  if (map.info.type === 'perf_event_array') {
    const buffer = openPerf(map, codec, takeOver);
    if (!buffer.slotsWereFree && !takeOver) {
      output.warn(
        `whether another process reads ${reference} cannot be told here: one that does gets no records any more`,
      );
    }
    return buffer;
  }
  if (!takeOver) refuseReaders(reference, map);
  using counter = await lostMap(context, reference, lost);
  if (counter === undefined) {
    output.note(
      `nothing counts the records that find no room in ${reference}: netkit/events.h has what a program needs for it`,
    );
  }
  return new RingBuffer(map, { codec, lostCounter: counter });
}

function openPerf(map: BpfMap, codec: Codec | undefined, takeOver: boolean): PerfBuffer {
  try {
    return new PerfBuffer(map, { codec, takeOver });
  } catch (error) {
    if (!(error instanceof NetkitError) || error.code !== 'conflict') throw error;
    const { message, details } = error;
    throw new NetkitError('conflict', message, {
      hint: '--take-over reads it all the same: the other process then gets no records any more',
      details,
      cause: error,
    });
  }
}

function refuseReaders(reference: string, map: BpfMap): void {
  const readers = ringReaders(map.info.id);
  if (readers.length === 0) return;
  const names = readers.map(({ pid, command }) => `${command} (${pid})`);
  throw new NetkitError('conflict', `${reference} is read already, by ${names.join(', ')}`, {
    hint: '--take-over reads it all the same: the other process then misses what is printed here',
    details: { readers },
  });
}

/** Says how many records were lost, whenever there are more. */
class LostReport implements Disposable {
  readonly #context: CommandContext<'map watch'>;
  readonly #buffer: EventBuffer;
  readonly #timer: NodeJS.Timeout;
  #said = 0n;
  #nextLook = 0;

  constructor(context: CommandContext<'map watch'>, buffer: EventBuffer) {
    this.#context = context;
    this.#buffer = buffer;
    this.#timer = setInterval(() => this.now(), lostMilliseconds);
  }

  /** Between batches, which may follow each other faster than timers come. */
  due(): void {
    if (performance.now() >= this.#nextLook) this.now();
  }

  now(): void {
    this.#nextLook = performance.now() + lostMilliseconds;
    const all = this.#buffer.lost() ?? 0n;
    const more = all - this.#said;
    if (more === 0n) return;
    this.#said = all;
    const { output, options } = this.#context;
    if (options.json) {
      const lost = {
        event: 'lost',
        cpu: null,
        key: null,
        value: null,
        before: null,
        lost: Number(more),
      } as const;
      output.record(lost, () => undefined);
    } else {
      output.warn(`${counted(Number(more), 'record')} lost${more === all ? '' : `, ${all} in all`}`);
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** Counts the records that are not of the type's size. */
class Misfits {
  readonly #context: CommandContext;
  readonly #codec: Codec | undefined;
  #count = 0;

  constructor(context: CommandContext, codec: Codec | undefined) {
    this.#context = context;
    this.#codec = codec;
  }

  add(batch: EventBatch): void {
    if (this.#codec === undefined) return;
    for (let index = 0; index < batch.length; index++) {
      if (batch.fits(index)) continue;
      if (this.#count++ > 0) continue;
      const { typeName, size } = this.#codec;
      const given = counted(batch.size(index), 'byte');
      this.#context.output.warn(
        `a record of ${given} is no ${typeName}, which has ${size}: such records are shown as bytes`,
      );
    }
  }

  end(): void {
    if (this.#count === 0) return;
    this.#context.output.note(`${counted(this.#count, 'record')} had another size than the type`);
  }
}
