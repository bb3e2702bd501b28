/** What attachments have in common that are no links: whether the program in the place is netkit's. */
import { type Attachment, HeldAttachment } from '../../ebpf/attach/index.js';
import { Program } from '../../ebpf/program.js';
import { exists } from '../../host/folders.js';
import { pinPath } from '../layout.js';

/** The id of a pinned program; undefined when the pin is gone. */
export function pinnedId(path: string): number | undefined {
  if (!exists(path)) return undefined;
  using program = Program.fromPin(path);
  return program.info().id;
}

/** By the recorded id; a plan that was never recorded has none, but its program's pin is still there. */
export function isRecordedOrPinned(
  id: number,
  folder: string,
  { program, programId }: { readonly program: string; readonly programId: number },
): boolean {
  return id === programId || id === pinnedId(pinPath(folder, 'progs', program));
}

/** Leaves to the kernel what it keeps by itself. */
export function keep(made: Attachment): void {
  if (made instanceof HeldAttachment) made.keep();
}
