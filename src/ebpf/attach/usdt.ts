import { hostIsLittleEndian } from '../../base/byte-order.js';
import { NetkitError } from '../../base/errors.js';
import { Scope } from '../../base/scope.js';
import { suggestion } from '../../base/suggest.js';
import { atLeast } from '../../host/kernel.js';
import type { Executable } from '../../obj/executable/executable.js';
import { type UsdtPlace, usdtProbes } from '../../obj/executable/usdt.js';
import {
  isUsdtEntryUsed,
  parseUsdtArguments,
  usdtEntry,
  usdtEntrySize,
} from '../../obj/executable/usdt-arguments.js';
import { MapCalls } from '../../sys/map-calls.js';
import { openId } from '../by-id.js';
import { readMapInfo } from '../map-info.js';
import type { Program } from '../program.js';
import { type Attachment, HeldAttachment } from './attachment.js';
import { openBinary } from './binary-place.js';
import { attachPerf } from './perf.js';
import { openUprobe } from './probes.js';

/** A probe that a program's or library's authors put into it; made by {@link usdt}. */
export interface UsdtOptions {
  readonly hook: 'usdt';
  /** A path, or the name of a program in PATH or of a library (`libc.so.6`). */
  readonly binary: string;
  readonly provider: string;
  readonly name: string;
  /** Only in this process, 0 for this one; in all when left out. */
  readonly pid?: number | undefined;
  /** What `bpf_usdt_cookie()` gives in the program. Minimum kernel 5.15. */
  readonly cookie?: bigint | undefined;
}

/**
 * A statically defined probe (USDT, `sys/sdt.h`), found by the notes in the binary; its semaphore is raised while the
 * program is attached. A link from Linux 5.15 on where the probe has one place, else the process holds it. For programs of
 * type `kprobe` (`SEC("usdt/…")`), whose arguments libbpf's `bpf_usdt_arg()` reads: minimum kernel 5.15, without
 * arguments 4.20.
 */
export function usdt(options: Omit<UsdtOptions, 'hook'>): UsdtOptions {
  return { hook: 'usdt', ...options };
}

/** @internal */
export function attachUsdt(program: Program, options: UsdtOptions): Attachment {
  const { path, executable } = openBinary(options.binary);
  const places = findPlaces(executable, path, options);
  const table = new ArgumentTable(program);
  try {
    using scope = new Scope();
    const made = places.map((place) =>
      scope.use(attachAt(program, options, { path, executable, place, table })),
    );
    const [only, ...more] = made;
    const owned = scope.move();
    if (only !== undefined && more.length === 0) return only;
    return new HeldAttachment('process', () => {
      owned[Symbol.dispose]();
    });
  } finally {
    table[Symbol.dispose]();
  }
}

function findPlaces(
  executable: Executable,
  path: string,
  { provider, name }: UsdtOptions,
): readonly UsdtPlace[] {
  const probes = usdtProbes(executable);
  const probe = probes.find((each) => each.provider === provider && each.name === name);
  if (probe !== undefined) return probe.places;
  const known = probes.map((each) => `${each.provider}:${each.name}`);
  throw new NetkitError('not-found', `${path} has no probe '${provider}:${name}'`, {
    hint: known.length === 0 ? 'it has none at all' : suggestion(`${provider}:${name}`, known),
  });
}

interface Spot {
  readonly path: string;
  readonly executable: Executable;
  readonly place: UsdtPlace;
  readonly table: ArgumentTable;
}

function attachAt(program: Program, options: UsdtOptions, spot: Spot): Attachment {
  const { provider, name, pid, cookie } = options;
  const { path, executable, place, table } = spot;
  const where = `probe ${provider}:${name} of ${path}`;
  const entry = table.present
    ? table.add(usdtEntry(parseUsdtArguments(place.arguments, executable.machine), cookie ?? 0n))
    : cookie;
  const { offset: at, semaphore } = place;
  return attachPerf(
    { program, where, hook: 'uprobe' },
    () => openUprobe({ path, at, returns: false, pid, semaphore, where }),
    entry,
  );
}

const tableName = '__bpf_usdt_specs'.slice(0, 15);

/** The program's own table of where arguments are, by whose numbers it is told which probe was hit. */
class ArgumentTable implements Disposable {
  readonly #scope = new Scope();
  readonly #calls: MapCalls | undefined;
  readonly #entries: number = 0;

  constructor(program: Program) {
    for (const id of program.info().mapIds) {
      const fd = openId('map', id);
      const info = readMapInfo(fd);
      if (info.name === tableName && info.type === 'array' && info.valueSize === usdtEntrySize) {
        this.#calls = new MapCalls(this.#scope.use(fd));
        this.#entries = info.maxEntries;
        return;
      }
      fd[Symbol.dispose]();
    }
  }

  /** Whether the program asks for arguments, and this kernel can say which probe was hit. */
  get present(): boolean {
    return this.#calls !== undefined && atLeast(5, 15);
  }

  /** @returns the number under which the entry stands: that of an equal one where there is one */
  add(entry: Uint8Array): bigint {
    const calls = this.#calls;
    if (calls === undefined) throw new TypeError('the program has no table');
    const key = new DataView(new ArrayBuffer(4));
    const keyBytes = new Uint8Array(key.buffer);
    const present = new Uint8Array(usdtEntrySize);
    for (let index = 0; index < this.#entries; index++) {
      key.setUint32(0, index, hostIsLittleEndian);
      const status = calls.lookup(keyBytes, present);
      if (status !== 0) throw calls.failure(status);
      if (Buffer.compare(present, entry) === 0) return BigInt(index);
      if (isUsdtEntryUsed(present)) continue;
      const written = calls.update(keyBytes, entry);
      if (written !== 0) throw calls.failure(written);
      return BigInt(index);
    }
    throw new NetkitError(
      'conflict',
      `the program's table of probe arguments is full: it has ${this.#entries}`,
      {
        hint: 'define BPF_USDT_MAX_SPEC_CNT before including bpf/usdt.bpf.h',
      },
    );
  }

  [Symbol.dispose](): void {
    this.#scope[Symbol.dispose]();
  }
}
