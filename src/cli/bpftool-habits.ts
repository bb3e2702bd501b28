/** What to type in place of a command line that bpftool would take. */
import type { Row } from './table/index.js';

/** Words of bpftool that netkit has other words for. */
const words: ReadonlyMap<string, string> = new Map([
  ['map event_pipe', 'netkit map watch prints records as they come'],
  ['map enqueue', 'netkit map push puts a value into queues and stacks alike'],
  ['map dequeue', 'netkit map pop takes a value out of queues and stacks alike'],
  ['map getnext', 'netkit map dump lists all entries'],
  ['net', 'netkit attach, netkit detach and netkit link list do that'],
  ['net show', 'netkit link list --all'],
  ['btf show', 'netkit btf list'],
  ['prog tracelog', 'netkit trace'],
  ['prog load', 'netkit load OBJ'],
  ['prog attach', 'netkit attach'],
  ['prog detach', 'netkit detach'],
  ['link detach', 'netkit detach id:N'],
  ['gen skeleton', 'netkit gen types makes TypeScript of an object'],
]);

/** A hint for an unknown command that bpftool has. */
export function bpftoolCommand(path: string): string | undefined {
  return words.get(path);
}

const referring: Readonly<Record<string, (text: string) => string>> = {
  id: (text) => `id:${text}`,
  pinned: (text) => text,
  name: (text) => `name:${text}`,
};

/**
 * The same in netkit's way, where what follows a command's name is written as bpftool wants it: `id 12 key hex 0a 00`,
 * `pinned PATH`. Undefined for anything else.
 */
export function inOwnWords(row: Row, rest: readonly string[]): string | undefined {
  const dumped = dumpInOwnWords(row, rest);
  if (dumped !== undefined) return dumped;
  if (row.arguments[0]?.kind !== 'map' && row.arguments[0]?.kind !== 'program') return undefined;
  const [first = '', second] = rest;
  const spelt = referring[first];
  const isSpelt = spelt !== undefined && second !== undefined;
  const after = rest.slice(isSpelt ? 2 : 1);
  const parts = isSpelt ? [spelt(second)] : [first];
  let isForeign = isSpelt;
  for (let index = 0; index < after.length; ) {
    const word = after[index++] ?? '';
    if (word !== 'key' && word !== 'value') {
      parts.push(word);
      continue;
    }
    isForeign = true;
    const isHex = after[index] === 'hex';
    if (isHex) index++;
    const bytes: string[] = [];
    while (index < after.length && isByte(after[index] ?? '', isHex)) bytes.push(after[index++] ?? '');
    parts.push(
      bytes.length === 0 ? word.toUpperCase() : `hex:${bytes.map((byte) => hexOf(byte, isHex)).join('')}`,
    );
  }
  return isForeign ? `netkit ${row.name} ${parts.join(' ')}` : undefined;
}

const dumpForms: Readonly<Record<string, string>> = {
  jited: '--native',
  opcodes: '--opcodes',
  visual: '--visual dot',
  raw: '--raw',
};

/** `prog dump xlated id 7 opcodes`, `btf dump id 7 format raw`: bpftool says in words what netkit has options for. */
function dumpInOwnWords(row: Row, rest: readonly string[]): string | undefined {
  const isProgram = row.name === 'prog dump';
  if (!isProgram && row.name !== 'btf dump') return undefined;
  if (isProgram !== (rest[0] === 'xlated' || rest[0] === 'jited')) return undefined;
  const [kind = '', name] = isProgram ? rest.slice(1) : rest;
  const spelt = kind === 'file' && !isProgram ? (text: string) => text : referring[kind];
  if (spelt === undefined || name === undefined) return undefined;
  const after = rest.slice(isProgram ? 3 : 2);
  const file = after.indexOf('file');
  const options = [rest[0], ...after].flatMap((word) => dumpForms[word ?? ''] ?? []);
  if (file >= 0) options.push(`-o ${after[file + 1] ?? 'FILE'}`);
  return ['netkit', row.name, spelt(name), ...options].join(' ');
}

/** bpftool takes single bytes: in decimal, with `0x`, or after `hex` two digits each. */
function isByte(word: string, isHex: boolean): boolean {
  return isHex
    ? /^[0-9a-fA-F]{1,2}$/.test(word)
    : /^(\d{1,3}|0x[0-9a-fA-F]{1,2})$/.test(word) && Number(word) < 256;
}

function hexOf(byte: string, isHex: boolean): string {
  return (isHex ? Number.parseInt(byte, 16) : Number(byte)).toString(16).padStart(2, '0');
}
