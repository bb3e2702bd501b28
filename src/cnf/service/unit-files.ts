/** The units' files in a folder of units, and the links by which they are enabled. */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileError, fileErrorCode } from '../../host/file-errors.js';
import { type Unit, unitMarker, wantingTarget } from './units.js';

/** What is at the place of a unit: nothing, what netkit would write there, what it wrote differently, or somebody else's. */
export type UnitState = 'absent' | 'current' | 'outdated' | 'foreign';

export interface UnitFile {
  readonly name: string;
  readonly path: string;
  /** What netkit would write. */
  readonly text: string;
  readonly state: UnitState;
  /** What is there; undefined unless netkit wrote it. */
  readonly present: string | undefined;
  /** Why it is somebody else's, as in «PATH REASON»; undefined unless it is. */
  readonly reason: string | undefined;
  /** The links by which targets in the same folder want it, whoever made them. */
  readonly links: readonly UnitLink[];
}

export interface UnitLink {
  readonly path: string;
  /** As it stands in the link. */
  readonly target: string;
}

/** @throws NetkitError `not-permitted` for what may not be looked at */
export function lookAtUnit(folder: string, { name, text }: Unit): UnitFile {
  const path = join(folder, name);
  try {
    const links = linksTo(folder, name);
    const found = lstatSync(path, { throwIfNoEntry: false });
    const at = (state: UnitState, present?: string, reason?: string): UnitFile => ({
      name,
      path,
      text,
      state,
      present,
      reason,
      links,
    });
    if (found === undefined) return at('absent');
    if (found.isSymbolicLink())
      return at(
        'foreign',
        undefined,
        readlinkSync(path) === '/dev/null' ? 'masks it' : 'is a link of somebody else',
      );
    if (!found.isFile()) return at('foreign', undefined, 'is no file');
    const present = readFileSync(path, 'utf8');
    if (!present.startsWith(unitMarker))
      return at('foreign', undefined, "was not written by 'netkit service install'");
    return at(present === text ? 'current' : 'outdated', present);
  } catch (error) {
    throw fileError(error, 'look at', path);
  }
}

/** The link that `netkit service install` makes. */
export function wantingLink(folder: string, name: string): UnitLink {
  return { path: join(folder, `${wantingTarget}.wants`, name), target: join('..', name) };
}

/** `systemctl enable` makes links of other forms, and puts them into other folders after an edit of `[Install]`. */
function linksTo(folder: string, name: string): UnitLink[] {
  return namesIn(folder)
    .filter((each) => /\.(wants|requires)$/.test(each))
    .flatMap((each) => {
      const path = join(folder, each, name);
      if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return [];
      const target = readlinkSync(path);
      return basename(target) === name ? [{ path, target }] : [];
    });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    if (fileErrorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
