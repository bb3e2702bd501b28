/**
 * Reading /proc, of processes that end while one looks, and of others that may not be looked at: both have nothing to
 * tell, which is no error.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** The ids of all processes apart from this one. */
export function otherProcesses(): number[] {
  return procNames('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number);
}

/** A process's name, as `ps` shows it; empty when it is gone. */
export function commandOf(pid: number): string {
  return procText(`/proc/${pid}/comm`).trim();
}

/** Empty when it cannot be read. */
export function procText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** What a symbolic link names; empty when it cannot be read. */
export function procLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

/** None when the folder cannot be read. */
export function procNames(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
