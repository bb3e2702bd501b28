/** Clocks that have a program run: on each CPU that is on, unless one CPU or a process is named. */
import { readFileSync } from 'node:fs';
import { NetkitError } from '../../base/errors.js';
import { perfEvent } from '../../ebpf/attach/index.js';
import type { LinkOf } from '../link-state.js';
import type { HookFamily, TargetReader } from './family.js';
import { pinnedLinks } from './pinned-link.js';
import { cookieOf, cookieText, refuseOtherCookie } from './text-target.js';

type PerfLink = LinkOf<'perf-event'>;

/** Not a divisor of what timers do. */
const usualFrequency = 99;

const form = /^(cpu-clock|task-clock)(?:@(\d{1,6}))?(?::cpu(\d{1,5}))?(?::pid(\d{1,10}))?$/;

const clockReader: TargetReader = {
  need: 'required',
  noun: 'a clock, as cpu-clock@FREQUENCY',
  couldBe: (text) => form.test(text),
  exists: () => true,
};

export const perfEventFamily: HookFamily<PerfLink> = {
  family: 'perf-event',
  hooks: [{ hook: 'perf_event', sections: ['perf_event'], types: ['perf_event'] }],
  target: clockReader,
  options: ['cookie'],
  linkType: 'perf_event',
  ...pinnedLinks<PerfLink>({
    make(program, link) {
      const { clock, frequency, cpu, pid } = read(link.target.text);
      const every = { frequency: BigInt(frequency) };
      return {
        made: program.attach(perfEvent({ clock, cpu, pid, every, cookie: cookieOf(link.cookie) })),
        link,
      };
    },
    replacing: 'overlap',
  }),
  expand(target) {
    const { clock, frequency, cpu, pid } = read(target);
    const start = `${clock}@${frequency}`;
    const process = pid === undefined ? '' : `:pid${pid}`;
    if (cpu !== undefined && !onlineCpus().includes(cpu))
      throw new NetkitError('not-found', `there is no CPU ${cpu}, or it is off`);
    if (cpu !== undefined) return [`${start}:cpu${cpu}${process}`];
    return pid === undefined ? onlineCpus().map((each) => `${start}:cpu${each}`) : [`${start}${process}`];
  },
  plan: ({ program, target, options }) => ({
    link: {
      family: 'perf-event',
      program: program.name,
      hook: 'perf_event',
      target: { kind: 'text', text: target },
      cookie: cookieText(options.cookie),
    },
  }),
  refuseOther: (present, { cookie }) => refuseOtherCookie(present, cookie),
  detail: () => '',
};

function read(text: string) {
  const [, clock, frequency, cpu, pid] = form.exec(text) ?? [];
  if (clock !== 'cpu-clock' && clock !== 'task-clock') {
    throw new NetkitError('usage', `'${text}' is not a clock`, {
      hint: "such as 'cpu-clock@99', 'cpu-clock@99:cpu0' or 'task-clock@1000:pid1234'",
    });
  }
  const number = (digits: string | undefined) => (digits === undefined ? undefined : Number(digits));
  return {
    clock,
    frequency: number(frequency) ?? usualFrequency,
    cpu: number(cpu),
    pid: number(pid),
  } as const;
}

function onlineCpus(): number[] {
  const ranges = readFileSync('/sys/devices/system/cpu/online', 'utf8').trim().split(',');
  return ranges.flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
