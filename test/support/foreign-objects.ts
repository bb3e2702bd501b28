import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

// Every process that a test starts inherits it, however far it goes astray; it tells leaks of this test run from the
// work of others on the same machine.
const marker = 'NETKIT_TEST_RUN';
process.env[marker] ??= randomUUID();

export type Entry = Readonly<Record<string, unknown>>;
export type Kind = 'prog' | 'map' | 'link' | 'btf';

/** What `bpftool -j` lists, by kind. */
export type BpfObjects = Readonly<Record<Kind, readonly Entry[]>>;

const kinds: readonly Kind[] = ['prog', 'map', 'link', 'btf'];

/** Whether a process is alive and was started neither by this test process nor below it. */
export function isForeignProcess(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    return !readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`${marker}=${process.env[marker]}`);
  } catch {
    return false;
  }
}

/** All objects but those that only processes outside of this test run hold, directly or through others. */
export function withoutForeign(objects: BpfObjects): { readonly kind: Kind; readonly entry: Entry }[] {
  const held = heldObjects();
  const foreign = reachable(objects, held.foreign);
  const own = reachable(objects, held.own);
  return kinds.flatMap((kind) =>
    objects[kind].flatMap((entry) => {
      const key = keyOf(kind, entry.id);
      return foreign.has(key) && !own.has(key) ? [] : [{ kind, entry }];
    }),
  );
}

function keyOf(kind: Kind, id: unknown): string {
  return `${kind} ${String(id)}`;
}

/** The objects behind the descriptors of all processes. */
function heldObjects(): { readonly own: string[]; readonly foreign: string[] } {
  const held: { own: string[]; foreign: string[] } = { own: [], foreign: [] };
  for (const pid of readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name))) {
    const keys = objectsOfProcess(pid);
    if (keys.length > 0) held[isForeignProcess(Number(pid)) ? 'foreign' : 'own'].push(...keys);
  }
  return held;
}

function objectsOfProcess(pid: string): string[] {
  const keys: string[] = [];
  try {
    for (const fd of readdirSync(`/proc/${pid}/fd`)) {
      // bpf-prog, bpf-map, bpf_link (or bpf-link), btf
      const kind = /^anon_inode:\[?(?:bpf[-_])?(prog|map|link|btf)/.exec(
        readlinkSync(`/proc/${pid}/fd/${fd}`),
      )?.[1];
      if (kind !== 'prog' && kind !== 'map' && kind !== 'link' && kind !== 'btf') continue;
      const fields = readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'latin1');
      const id = new RegExp(`^${kind}_id:\\s*([0-9]+)`, 'm').exec(fields)?.[1];
      if (id !== undefined) keys.push(keyOf(kind, id));
    }
  } catch {
    // The process or the descriptor went meanwhile.
  }
  return keys;
}

/** `from`, and what those objects keep alive: a link its program, a program its maps and BTF, a map its BTF. */
function reachable(objects: BpfObjects, from: readonly string[]): ReadonlySet<string> {
  const reached = new Set(from);
  const follow = (kind: Kind, next: (entry: Entry) => string[]) => {
    for (const entry of objects[kind]) {
      if (!reached.has(keyOf(kind, entry.id))) continue;
      for (const key of next(entry)) reached.add(key);
    }
  };
  const btf = (entry: Entry) => [keyOf('btf', entry.btf_id)];
  follow('link', (entry) => [keyOf('prog', entry.prog_id)]);
  follow('prog', (entry) => {
    const maps: readonly unknown[] = Array.isArray(entry.map_ids) ? entry.map_ids : [];
    return [...maps.map((id) => keyOf('map', id)), ...btf(entry)];
  });
  follow('map', btf);
  return reached;
}
