/** Infrared receivers, whose device keeps the programs. */
import { existsSync } from 'node:fs';
import { NetkitError } from '../../base/errors.js';
import { lirc } from '../../ebpf/attach/index.js';
import { lircPrograms, takeOffLirc } from '../../ebpf/attach/lirc.js';
import { Program } from '../../ebpf/program.js';
import { exists } from '../../host/folders.js';
import { pinPath } from '../layout.js';
import type { LinkOf } from '../link-state.js';
import type { HookFamily } from './family.js';
import { keep } from './kernel-held.js';

type LircLink = LinkOf<'lirc'>;

export const lircFamily: HookFamily<LircLink> = {
  family: 'lirc',
  hooks: [{ hook: 'lirc_mode2', sections: ['lirc_mode2'], types: ['lirc_mode2'] }],
  target: {
    need: 'required',
    noun: 'the device of an infrared receiver, such as /dev/lirc0',
    couldBe: (text) => text.startsWith('/dev/'),
    exists: (text) => existsSync(text),
  },
  options: [],
  linkType: 'lirc',
  holder: 'kernel',
  replacing: 'overlap',
  plan({ program, target }) {
    if (!existsSync(target)) throw new NetkitError('not-found', `there is no device ${target}`);
    const place = { kind: 'text', text: target } as const;
    return {
      link: { family: 'lirc', program: program.name, hook: 'lirc_mode2', target: place, programId: 0 },
    };
  },
  attach(folder, link) {
    using program = Program.fromPin(pinPath(folder, 'progs', link.program));
    keep(program.attach(lirc({ device: link.target.text })));
    return { ...link, programId: program.info().id };
  },
  detach(folder, link) {
    takeOff(pinPath(folder, 'progs', link.program), link);
  },
  swap(_folder, link, from, to) {
    if (!exists(to)) return link;
    using next = Program.fromPin(to);
    const { id } = next.info();
    if (!lircPrograms(link.target.text).includes(id)) keep(next.attach(lirc({ device: link.target.text })));
    takeOff(from, link);
    return { ...link, programId: id };
  },
  isAlive: (_folder, link) => isOn(link),
  look: (_folder, link) => ({
    pin: undefined,
    info: undefined,
    programId: isOn(link) ? link.programId : undefined,
    dead: !isOn(link),
  }),
  detail: () => '',
  revive: (link) => ({ ...link, programId: 0 }),
};

function takeOff(path: string, { target }: LircLink): void {
  if (!exists(path)) return;
  using program = Program.fromPin(path);
  if (lircPrograms(target.text).includes(program.info().id)) takeOffLirc(program, target.text);
}

function isOn({ target, programId }: LircLink): boolean {
  return lircPrograms(target.text).includes(programId);
}
