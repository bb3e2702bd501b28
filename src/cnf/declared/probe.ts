/** One look at whether a function is healthy. */
import { resolve } from 'node:path';
import { parseDuration } from '../../base/duration.js';
import { messageOf, NetkitError } from '../../base/errors.js';
import { findTool } from '../../host/command.js';
import { runProbing } from '../../host/probing-command.js';
import { refuseUntrusted } from '../../host/trusted-file.js';
import type { ObjectSpec } from '../../obj/spec.js';
import type { Probe } from '../manifest/schema.js';
import { openShaped, overallMember } from './map-number.js';
import { valueText } from './value-text.js';

/** `bad`: it is not healthy, and will not become so. `open`: not yet, which counts when the time is over. */
export interface Finding {
  readonly verdict: 'good' | 'open' | 'bad';
  /** `stats[error] is 3 since the swap, not == 0` */
  readonly about: string;
}

export interface HealthProbe {
  /** How long one look may take, in milliseconds. */
  readonly longestMs: number;
  /** Looks for the first time, right before the programs change places. @param maps the folder of the new maps' pins */
  begin(maps: string): void;
  look(maps: string, signal: AbortSignal | undefined): Promise<Finding>;
}

const defaultTimeoutMs = 2000;

/** What is asked, and where its maps and commands are. */
export interface Probed {
  readonly probe: Probe;
  readonly spec: ObjectSpec;
  /** The name of a map's pin. */
  readonly pinned: (map: string) => string;
  /** What relative paths are relative to. */
  readonly folder: string;
}

export function probeOf({ probe, spec, pinned, folder }: Probed): HealthProbe {
  return 'map' in probe ? new MapProbe(probe, spec, pinned) : new CommandProbe(probe, folder);
}

/**
 * The path of the program that a probe starts: a name is looked for as shells do, a path is relative to the manifest.
 * @throws NetkitError `not-found`, `not-permitted` as root for one that others can write
 */
export function probingProgram([program = '']: readonly string[], folder: string): string {
  const isPath = program.includes('/');
  const path = findTool(isPath ? resolve(folder, program) : program);
  if (path === undefined)
    throw new NetkitError(
      'not-found',
      isPath
        ? `'${resolve(folder, program)}' is no program that can be started`
        : `there is no program '${program}' in PATH`,
      { details: { path: ['spec', 'health', 'probe', 'command'] } },
    );
  if (isPath) refuseUntrusted(path, 'command');
  return path;
}

type MapProbeSpec = Extract<Probe, { map: string }>;

/** Numbers count from the swap on: what was there before is taken off. */
class MapProbe implements HealthProbe {
  readonly #probe: MapProbeSpec;
  readonly #spec: ObjectSpec;
  readonly #pinned: (map: string) => string;
  readonly longestMs = 0;
  #before = 0n;

  constructor(probe: MapProbeSpec, spec: ObjectSpec, pinned: (map: string) => string) {
    this.#probe = probe;
    this.#spec = spec;
    this.#pinned = pinned;
  }

  begin(maps: string): void {
    const value = this.#read(maps);
    // Better now than when the programs are in place. What has no entry yet may be no number at all.
    if (typeof value === 'bigint' && value !== 0n) numberOf(valueText(this.#probe.value));
    this.#before = typeof value === 'bigint' ? value : 0n;
  }

  look(maps: string): Promise<Finding> {
    return Promise.resolve(this.#judge(this.#read(maps)));
  }

  #judge(value: bigint | string): Finding {
    const { op, value: said } = this.#probe;
    const expected = valueText(said);
    if (typeof value === 'string') {
      const isGood = op === '==' ? value === expected : op === '!=' ? value !== expected : undefined;
      if (isGood === undefined)
        return { verdict: 'bad', about: `${this.#what()} is '${value}', which is no number` };
      return {
        verdict: isGood ? 'good' : 'bad',
        about: `${this.#what()} is '${value}', to be ${op} '${expected}'`,
      };
    }
    const since = value - this.#before;
    const about = `${this.#what()} is ${since} since the swap, to be ${op} ${expected}`;
    if (compare(since, op, numberOf(expected))) return { verdict: 'good', about };
    // A number that is to be reached may be reached yet.
    return { verdict: op === '>' || op === '>=' ? 'open' : 'bad', about };
  }

  #what(): string {
    const { map, key, field } = this.#probe;
    return `${map}[${valueText(key)}]${field === undefined ? '' : `.${field}`}`;
  }

  #read(maps: string): bigint | string {
    const { map: name, key, field } = this.#probe;
    using map = openShaped(`${maps}/${this.#pinned(name)}`, this.#spec, name);
    const found = map.get(map.keyCodec.parse(valueText(key)));
    // What was never counted has no entry.
    if (found === undefined) return 0n;
    const value = overallMember(map, found, field);
    if (value === undefined || typeof value === 'object')
      throw new NetkitError('bad-value', `${this.#what()} is no single value`, {
        hint: "name one of its members with 'field'",
        details: { path: ['spec', 'health', 'probe', 'field'] },
      });
    if (typeof value === 'bigint') return value;
    return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : String(value);
  }
}

/** @throws NetkitError `bad-value` */
export function numberOf(text: string): bigint {
  if (/^-?(\d+|0[xX][0-9a-fA-F]+)$/.test(text))
    return text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text);
  throw new NetkitError('bad-value', `'${text}' is no whole number to compare with`, {
    details: { path: ['spec', 'health', 'probe', 'value'] },
  });
}

function compare(value: bigint, op: MapProbeSpec['op'], expected: bigint): boolean {
  switch (op) {
    case '==':
      return value === expected;
    case '!=':
      return value !== expected;
    case '<':
      return value < expected;
    case '<=':
      return value <= expected;
    case '>':
      return value > expected;
    case '>=':
      return value >= expected;
  }
}

class CommandProbe implements HealthProbe {
  readonly #command: readonly string[];
  readonly #folder: string;
  readonly longestMs: number;

  constructor({ command, timeout }: Extract<Probe, { command: string[] }>, folder: string) {
    this.#command = command;
    this.#folder = folder;
    this.longestMs = parseDuration(timeout ?? '') ?? defaultTimeoutMs;
  }

  begin(): void {
    probingProgram(this.#command, this.#folder);
  }

  async look(_maps: string, signal: AbortSignal | undefined): Promise<Finding> {
    const shown = `'${this.#command.join(' ')}'`;
    try {
      const { exitCode, complaint } = await runProbing(
        probingProgram(this.#command, this.#folder),
        this.#command.slice(1),
        { cwd: this.#folder, timeoutMs: this.longestMs, signal },
      );
      if (exitCode === undefined)
        return { verdict: 'bad', about: `${shown} did not answer within ${this.longestMs} ms` };
      if (exitCode === 0) return { verdict: 'good', about: `${shown} ended well` };
      const why = complaint === '' ? '' : `: ${complaint}`;
      return { verdict: 'bad', about: `${shown} ended with status ${exitCode}${why}` };
    } catch (error) {
      if (error instanceof NetkitError && error.code === 'interrupted') throw error;
      return { verdict: 'bad', about: `${shown} could not be run: ${messageOf(error)}` };
    }
  }
}
