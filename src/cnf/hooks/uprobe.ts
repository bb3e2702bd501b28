/** Places in programs and libraries: functions, offsets, and the probes that their authors put there (USDT). */
import { uprobe, uprobeMulti, usdt } from '../../ebpf/attach/index.js';
import type { Program } from '../../ebpf/program.js';
import { findBinary } from '../../host/binary-file.js';
import type { LinkOf } from '../link-state.js';
import type { HookFamily } from './family.js';
import { pinnedLinks } from './pinned-link.js';
import {
  binaryReader,
  cookieOf,
  cookieText,
  type NamedPlace,
  placeOf,
  refuseOtherCookie,
  textNamed,
  usdtReader,
} from './text-target.js';

type UprobeLink = LinkOf<'uprobe'>;

const types = ['kprobe'];
const multi = 'trace_uprobe_multi';

export const uprobeFamily: HookFamily<UprobeLink> = {
  family: 'uprobe',
  hooks: [
    { hook: 'uprobe', sections: ['uprobe', 'uprobe.s'], types },
    { hook: 'uretprobe', sections: ['uretprobe', 'uretprobe.s'], types },
    { hook: 'uprobe.multi', sections: ['uprobe.multi', 'uprobe.multi.s'], types, loadedFor: multi },
    { hook: 'uretprobe.multi', sections: ['uretprobe.multi', 'uretprobe.multi.s'], types, loadedFor: multi },
    {
      hook: 'uprobe.session',
      sections: ['uprobe.session', 'uprobe.session.s'],
      types,
      loadedFor: 'trace_uprobe_session',
    },
    { hook: 'usdt', sections: ['usdt', 'usdt.s'], types },
  ],
  target: {
    ...binaryReader,
    couldBe: (text) => binaryReader.couldBe(text) || usdtReader.couldBe(text),
  },
  options: ['cookie', 'pid'],
  linkType: 'perf_event',
  ...pinnedLinks<UprobeLink>({
    make: (program, link) => ({ made: attached(program, link), link }),
    replacing: 'overlap',
  }),
  plan({ program, hook, target, options }) {
    const { binary, rest } = split(target);
    textNamed(target, hook === 'usdt' ? usdtReader : binaryReader);
    return {
      link: {
        family: 'uprobe',
        program: program.name,
        hook,
        target: { kind: 'text', text: `${findBinary(binary)}:${rest}` },
        pid: options.pid ?? null,
        cookie: cookieText(options.cookie),
      },
    };
  },
  samePlace: (present, wanted) => wanted.family === 'uprobe' && present.pid === wanted.pid,
  refuseOther: (present, { cookie }) => refuseOtherCookie(present, cookie),
  detail: ({ pid }) => (pid === null ? '' : ` (process ${pid})`),
};

function attached(program: Program, { hook, target, pid: recorded, cookie: text }: UprobeLink) {
  const { binary, rest } = split(target.text);
  const cookie = cookieOf(text);
  const pid = recorded ?? undefined;
  if (hook === 'usdt') {
    const [provider = '', name = ''] = rest.split(':');
    return program.attach(usdt({ binary, provider, name, pid, cookie }));
  }
  const returns = hook.startsWith('uret');
  if (hook === 'uprobe' || hook === 'uretprobe') {
    const { symbol, offset } = placeIn(rest);
    return program.attach(uprobe({ binary, symbol, offset, returns, pid, cookie }));
  }
  const places = rest.split(',').map((each) => ({ ...placeIn(each), cookie }));
  const session = hook === 'uprobe.session';
  return program.attach(uprobeMulti({ binary, places, returns, session, pid }));
}

function split(text: string): { readonly binary: string; readonly rest: string } {
  const at = text.indexOf(':');
  return { binary: text.slice(0, at), rest: text.slice(at + 1) };
}

/** `readline`, `readline+0x10`, or `0x1234`, which counts from the start of the file. */
function placeIn(text: string): { readonly symbol: string | undefined; readonly offset: number | undefined } {
  if (/^(0x[0-9a-f]+|\d+)$/i.test(text)) return { symbol: undefined, offset: Number(text) };
  const { name, offset }: NamedPlace = placeOf(text);
  return { symbol: name, offset };
}
