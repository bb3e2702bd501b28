/** Which processes read the buffer of a map: only /proc tells, and only of processes that this one may see. */
import { commandOf, otherProcesses, procLink, procNames, procText } from './proc.js';

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
  return otherProcesses()
    .filter((pid) => mapsForWriting(pid) && holdsMap(pid, id))
    .map((pid) => ({ pid, command: commandOf(pid) }));
}

function mapsForWriting(pid: number): boolean {
  return /^\S+ rw-s \S+ \S+ \S+ +anon_inode:bpf-map$/m.test(procText(`/proc/${pid}/maps`));
}

function holdsMap(pid: number, id: number): boolean {
  return procNames(`/proc/${pid}/fd`).some(
    (fd) =>
      procLink(`/proc/${pid}/fd/${fd}`) === 'anon_inode:bpf-map' &&
      new RegExp(`^map_id:\\s*${id}$`, 'm').test(procText(`/proc/${pid}/fdinfo/${fd}`)),
  );
}
