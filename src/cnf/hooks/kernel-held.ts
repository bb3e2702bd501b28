/** What attachments have in common that are no links: whether the program in the place is netkit's. */
import { type Attachment, HeldAttachment } from '../../ebpf/attach/index.js';
import { Program } from '../../ebpf/program.js';
import { exists } from '../../host/folders.js';
import { pinPath } from '../layout.js';

/** The id of a pinned program; undefined when the pin is gone. */
function pinnedId(path: string): number | undefined {
  if (!exists(path)) return undefined;
  using program = Program.fromPin(path);
  return program.info().id;
}

/** Whether the program in a place is the pinned one: one whose id nobody knows is none of ours. */
export function isPinnedAt(path: string, id: number | undefined): boolean {
  return id !== undefined && id === pinnedId(path);
}

/** By the recorded id; a plan that was never recorded has none, but its program's pin is still there. */
export function isRecordedOrPinned(
  id: number,
  folder: string,
  { program, programId }: { readonly program: string; readonly programId: number },
): boolean {
  return id === programId || isPinnedAt(pinPath(folder, 'progs', program), id);
}

/** Leaves to the kernel what it keeps by itself. */
export function keep(made: Attachment): void {
  if (made instanceof HeldAttachment) made.keep();
}
