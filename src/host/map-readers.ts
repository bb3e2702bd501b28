/** Which processes read the buffer of a map: only /proc tells, and only of processes that this one may see. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Another process that holds a map. */
export interface MapReader {
  readonly pid: number;
  /** Its name, as `ps` shows it. */
  readonly command: string;
}

/**
 * The processes, apart from this one, that have a map open and some map's memory mapped for writing, as the reader of a
 * ring buffer has. One that holds the map for another reason and reads some other map is among them.
 * @param id the kernel's id of the map
 */
export function ringReaders(id: number): MapReader[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => mapsForWriting(pid) && holdsMap(pid, id))
    .map((pid) => ({ pid: Number(pid), command: textOf(`/proc/${pid}/comm`).trim() }));
}

function mapsForWriting(pid: string): boolean {
  return /^\S+ rw-s \S+ \S+ \S+ +anon_inode:bpf-map$/m.test(textOf(`/proc/${pid}/maps`));
}

function holdsMap(pid: string, id: number): boolean {
  return namesIn(`/proc/${pid}/fd`).some(
    (fd) =>
      targetOf(`/proc/${pid}/fd/${fd}`) === 'anon_inode:bpf-map' &&
      new RegExp(`^map_id:\\s*${id}$`, 'm').test(textOf(`/proc/${pid}/fdinfo/${fd}`)),
  );
}

// Processes end while this looks, and those of others may not be looked at: both have nothing to tell.

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function targetOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
