/** Which processes hold BPF programs and links open: only /proc tells, and only of processes that this one may see. */
import { commandOf, otherProcesses, procLink, procNames, procText } from './proc.js';

export interface Holder {
  readonly pid: number;
  /** Its name, as `ps` shows it. */
  readonly command: string;
}

/** Holders by the kernel's ids. */
export interface Holders {
  readonly ofProgram: ReadonlyMap<number, Holder>;
  readonly ofLink: ReadonlyMap<number, Holder>;
}

/** The first process, apart from this one, that has each program or link open. Those of other users are seen by root alone. */
export function bpfHolders(): Holders {
  const ofProgram = new Map<number, Holder>();
  const ofLink = new Map<number, Holder>();
  for (const pid of otherProcesses()) {
    for (const fd of procNames(`/proc/${pid}/fd`)) {
      const kind = kindOf(procLink(`/proc/${pid}/fd/${fd}`));
      if (kind === undefined) continue;
      const id = idIn(procText(`/proc/${pid}/fdinfo/${fd}`), kind);
      const holders = kind === 'prog' ? ofProgram : ofLink;
      if (id !== undefined && !holders.has(id)) holders.set(id, { pid, command: commandOf(pid) });
    }
  }
  return { ofProgram, ofLink };
}

/** Kernels name the descriptors of links in different ways. */
function kindOf(target: string): 'prog' | 'link' | undefined {
  if (target === 'anon_inode:bpf-prog') return 'prog';
  return /^anon_inode:\[?bpf[-_]link\]?$/.test(target) ? 'link' : undefined;
}

function idIn(text: string, kind: 'prog' | 'link'): number | undefined {
  const id = new RegExp(`^${kind}_id:\\s*(\\d+)$`, 'm').exec(text)?.[1];
  return id === undefined ? undefined : Number(id);
}
