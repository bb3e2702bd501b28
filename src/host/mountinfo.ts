import { readFileSync } from 'node:fs';

/** One mount of this process's mount namespace. */
export interface Mount {
  /** Unique among all mounts of the machine while it is mounted. */
  readonly id: number;
  readonly parentId: number;
  /** The directory of the mounted file system that is seen at `mountPoint`; `net:[4026531833]` for a bound namespace. */
  readonly root: string;
  readonly mountPoint: string;
  /** Options of this mount: `rw`, `nosuid`, … */
  readonly options: readonly string[];
  /** The file system's type: `bpf`, `cgroup2`, … */
  readonly type: string;
  readonly source: string;
}

/** Reads the text of /proc/PID/mountinfo (proc(5)); lines that do not have its form are left out. */
export function parseMountinfo(text: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split('\n')) {
    const fields = line.split(' ');
    const [id, parentId, , root, mountPoint, options] = fields;
    // A varying number of optional fields ends with a single hyphen.
    const separator = fields.indexOf('-', 6);
    const [type, source] = separator === -1 ? [] : fields.slice(separator + 1);
    if (mountPoint === undefined || root === undefined || options === undefined) continue;
    if (type === undefined || source === undefined) continue;
    mounts.push({
      id: Number(id),
      parentId: Number(parentId),
      root: unescapeMountField(root),
      mountPoint: unescapeMountField(mountPoint),
      options: options.split(','),
      type: unescapeMountField(type),
      source: unescapeMountField(source),
    });
  }
  return mounts;
}

/** The mounts that a process sees (this one when `path` is left out), in the order in which the kernel lists them. */
export function readMounts(path = '/proc/self/mountinfo'): Mount[] {
  return parseMountinfo(readFileSync(path, 'utf8'));
}

// The kernel writes space, tab, newline, backslash and # as three octal digits, one escape a byte.
function unescapeMountField(text: string): string {
  return text.replace(/\\([0-3][0-7]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
