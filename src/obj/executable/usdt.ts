/** USDT probes of programs and libraries: the notes in `.note.stapsdt`. */
import { NetkitError } from '../../base/errors.js';
import { type Executable, fileOffset, sectionNamed } from './executable.js';

/** One place of a probe; a probe may have several, where the compiler copied its function. */
export interface UsdtPlace {
  /** In the file, in bytes. */
  readonly offset: number;
  /** Where in the file its semaphore is: a counter that says whether anybody looks; 0 without one. */
  readonly semaphore: number;
  /** As the note writes them: `-4@%eax 8@-16(%rbp)`. */
  readonly arguments: string;
}

/** The probe `provider:name`, which is what a program's own tracing macros gave it. */
export interface UsdtProbe {
  readonly provider: string;
  readonly name: string;
  readonly places: readonly UsdtPlace[];
}

const stapsdtType = 3;
const noteHeaderSize = 12;
const aligned = (size: number): number => (size + 3) & ~3;

/** All probes of a binary, in the order of the file; none when it has no such notes. @throws NetkitError `bad-object` */
export function usdtProbes(executable: Executable): UsdtProbe[] {
  const section = sectionNamed(executable, '.note.stapsdt');
  if (section === undefined) return [];
  const base = sectionNamed(executable, '.stapsdt.base')?.address;
  const notes = executable.reader.slice(section.offset, section.size);
  const probes = new Map<string, { provider: string; name: string; places: UsdtPlace[] }>();
  for (let at = 0; at + noteHeaderSize <= section.size; ) {
    notes.seek(at);
    const nameSize = notes.u32();
    const contentSize = notes.u32();
    const type = notes.u32();
    const content = at + noteHeaderSize + aligned(nameSize);
    at = content + aligned(contentSize);
    if (type !== stapsdtType || notes.cString() !== 'stapsdt') continue;
    notes.seek(content);
    const address = notes.size64();
    const baseThen = notes.size64();
    const semaphore = notes.size64();
    const [provider, name, argumentText] = [notes.cString(), notes.cString(), notes.cString()];
    // Whoever linked the file may have moved it: the note says where the base was when it was written.
    const moved = base === undefined || baseThen === 0 ? 0 : base - baseThen;
    const key = `${provider}:${name}`;
    const probe = probes.get(key) ?? { provider, name, places: [] };
    probes.set(key, probe);
    probe.places.push({
      offset: inFile(executable, address + moved, key),
      semaphore: semaphore === 0 ? 0 : inFile(executable, semaphore + moved, `the semaphore of ${key}`),
      arguments: argumentText,
    });
  }
  return [...probes.values()];
}

function inFile(executable: Executable, address: number, what: string): number {
  const offset = fileOffset(executable, address);
  if (offset !== undefined) return offset;
  throw new NetkitError('bad-object', `the address of ${what} is in no part of the file`);
}
