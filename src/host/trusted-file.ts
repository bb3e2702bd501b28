/** Files that tell root what to do, and who else could write them. */
import { lstatSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { NetkitError } from '../base/errors.js';
import { fileError } from './file-errors.js';

/** On whose behalf a file is judged. */
export interface Reader {
  /** The effective user; nothing is refused unless that is root. */
  readonly euid: number | undefined;
  /** The user behind sudo, who is trusted beside root. */
  readonly sudoUid: number | undefined;
}

/** As many as the kernel follows. */
const mostLinks = 40;
const groupWrites = 0o020;
const othersWrite = 0o002;
const sticky = 0o1000;

/**
 * Run as root: refuses a file that somebody could have written who is neither root nor the user behind sudo. That is
 * one that everybody or a group but root's may write, one that belongs to somebody else, and one below a folder of that
 * kind, or that a symbolic link in such a folder leads to. In a sticky folder, such as /tmp, others cannot replace what
 * is there, so it may be written by all. What this process has open already is taken. Access lists count: the group's bits show the most that one allows.
 * @param what what the file is, as messages call it: `manifest`
 * @throws NetkitError `not-permitted` with which path and why, `not-found`, `usage` for links that form a loop
 */
export function refuseUntrusted(path: string, what: string, reader: Reader = presentReader()): void {
  if (reader.euid !== 0) return;
  try {
    for (const [place, found] of placesOnTheWay(path)) {
      const fault = faultOf(place, found, reader.sudoUid);
      if (fault !== undefined) throw refusal(path, what, place, fault);
    }
  } catch (error) {
    throw fileError(error, 'read', path);
  }
}

function presentReader(): Reader {
  const uid = process.env['SUDO_UID'];
  return {
    euid: process.geteuid?.(),
    sudoUid: uid !== undefined && /^\d{1,10}$/.test(uid) ? Number(uid) : undefined,
  };
}

interface Fault {
  readonly reason: string;
  readonly hint: string;
}

function faultOf(place: string, found: Stats, sudoUid: number | undefined): Fault | undefined {
  if (found.uid !== 0 && found.uid !== sudoUid) {
    const option = found.isSymbolicLink() ? '-h ' : '';
    return { reason: `belongs to user ${found.uid}`, hint: `chown ${option}root ${quoted(place)}` };
  }
  // The mode of a link means nothing; what comes out of a terminal is not what its group writes to it.
  if (found.isSymbolicLink() || found.isCharacterDevice()) return undefined;
  if (found.isDirectory() && (found.mode & sticky) !== 0) return undefined;
  const mode = `(its mode is ${(found.mode & 0o7777).toString(8).padStart(4, '0')})`;
  if ((found.mode & othersWrite) !== 0) {
    const both = (found.mode & groupWrites) !== 0 && found.gid !== 0;
    return {
      reason: `can be written by everybody ${mode}`,
      hint: `chmod ${both ? 'go' : 'o'}-w ${quoted(place)}`,
    };
  }
  if ((found.mode & groupWrites) === 0 || found.gid === 0) return undefined;
  return { reason: `can be written by group ${found.gid} ${mode}`, hint: `chmod g-w ${quoted(place)}` };
}

function refusal(path: string, what: string, place: string, { reason, hint }: Fault): NetkitError {
  return new NetkitError(
    'not-permitted',
    `the ${what} '${path}' is not trusted: ${place === path ? 'it' : `'${place}'`} ${reason}, and netkit runs as root`,
    { hint, details: { path, place } },
  );
}

/** Everything that decides what a path leads to, each with what it is: folders, links, and the file itself. */
function* placesOnTheWay(path: string): Generator<readonly [place: string, found: Stats]> {
  const ahead = partsOf(path.startsWith('/') ? path : `${process.cwd()}/${path}`);
  let folder = '/';
  let links = 0;
  yield [folder, lstatSync(folder)];
  for (let part = ahead.pop(); part !== undefined; part = ahead.pop()) {
    const place = join(folder, part);
    // What this process has open was chosen by who started it, as standard input is; no path decides about it any more.
    if (folder === `/proc/${process.pid}/fd` && ahead.length === 0) return;
    const found = lstatSync(place);
    yield [place, found];
    if (!found.isSymbolicLink()) {
      folder = place;
      continue;
    }
    links += 1;
    // The kernel's own error says that the links form a loop.
    if (links > mostLinks) statSync(path);
    const target = readlinkSync(place);
    if (target.startsWith('/')) folder = '/';
    ahead.push(...partsOf(target));
  }
}

/** The parts of a path, the first one last. */
function partsOf(path: string): string[] {
  return path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .reverse();
}

/** For a shell. */
function quoted(path: string): string {
  return /^[\w./@%+:,-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
