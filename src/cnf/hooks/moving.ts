/**
 * Giving a link another place in the kernel's own order (tcx, netkit-dev, cgroups), where a link cannot be moved: the
 * program is attached once more at the new place, then the old link goes. The kernel takes no program twice on one hook, so
 * what is attached is the same program loaded a second time, with the function's own maps; when the old link is gone, the
 * first one takes its place. At each moment one of them runs, and between the second step and the third both do.
 */
import { renameSync } from 'node:fs';
import { NetkitError } from '../../base/errors.js';
import { Scope } from '../../base/scope.js';
import { Link } from '../../ebpf/link.js';
import { load } from '../../ebpf/load.js';
import { Program } from '../../ebpf/program.js';
import { exists, makeFolder } from '../../host/folders.js';
import { ObjectSpec } from '../../obj/spec.js';
import { mapsOf, storedOrigin } from '../chain/member.js';
import { pinPath } from '../layout.js';
import type { LinkState } from '../link-state.js';
import { steppingStone } from '../stepping-stone.js';
import type { Notes } from './family.js';
import { detachAndWait } from './link-end.js';
import { asideOf, type LinkMaker, pinOf } from './pinned-link.js';

/** Moves the link to where `next` says. Done already is fine, and so is anything in between. */
export function moveLink<L extends LinkState>(
  maker: LinkMaker<L>,
  folder: string,
  next: L,
  notes: Notes,
): void {
  const path = pinOf(folder, next);
  const aside = asideOf(path);
  using scope = new Scope();
  const program = scope.use(Program.fromPin(pinPath(folder, 'progs', next.program)));
  settle(path, aside, program);
  if (!exists(path)) throw gone(next);
  const copy = loadedAgain(folder, next.program, notes, scope);
  const { made } = maker.make(copy, next, notes, folder);
  if (!(made instanceof Link)) throw new TypeError(`what is on ${next.hook} is no link`);
  const moved = scope.use(made);
  makeFolder(aside.slice(0, aside.lastIndexOf('/')));
  moved.pin(aside);
  steppingStone();
  detachAndWait(path);
  steppingStone();
  renameSync(aside, path);
  steppingStone();
  moved.update(program, copy);
}

/** What a killed move left: one link is to be there, with the function's own program. */
function settle(path: string, aside: string, program: Program): void {
  if (exists(aside) && exists(path)) detachAndWait(aside);
  if (exists(aside)) renameSync(aside, path);
  if (!exists(path)) return;
  using link = Link.fromPin(path);
  const { programId, gone: isDead } = link.info();
  const { id, name } = program.info();
  if (isDead || programId === id) return;
  using present = Program.fromId(programId);
  // Another program was put there by somebody else.
  if (present.info().name === name) link.update(program, present);
}

/** The program once more, as it was loaded. It lives on in the link. */
function loadedAgain(folder: string, name: string, { store }: Notes, scope: Scope): Program {
  const { spec: stored, functionName } = storedOrigin(store, folder);
  const spec = ObjectSpec.parse(stored.bytes, { path: stored.path });
  spec.only([name]);
  const reuse = mapsOf(spec, folder, functionName, scope);
  const program = scope.use(load(spec, { name: functionName, reuse })).programs.get(name);
  if (program !== undefined) return program;
  throw new TypeError(`'${name}' was loaded and is not there`);
}

function gone({ program, hook }: LinkState): NetkitError {
  return new NetkitError('not-found', `${program} is not on ${hook} any more`, {
    hint: 'somebody took it off: attach it again',
  });
}
