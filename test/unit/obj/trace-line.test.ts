import { describe, expect, it } from 'vitest';
import { lostEvents, parseTraceLine } from '../../../src/obj/trace-line.js';

const event = 'bpf_trace_printk';

describe('a line of the trace pipe', () => {
  it.each([
    [
      '         bpftool-20189   [000] b..11 27140.148119: bpf_trace_printk: hello 64 bytes',
      { task: 'bpftool', pid: 20189, cpu: 0, seconds: 27140.148119, event, text: 'hello 64 bytes' },
    ],
    [
      '           <...>-20189   [013] bN.11     0.000001: bpf_trace_printk: ',
      { task: '<...>', pid: 20189, cpu: 13, seconds: 0.000001, event, text: '' },
    ],
    [
      '  Web Content-1-4711   (   4711) [001] d..31   100.500000: bpf_trace_printk: a: b: c',
      { task: 'Web Content-1', pid: 4711, cpu: 1, seconds: 100.5, event, text: 'a: b: c' },
    ],
    [
      '          <idle>-0       (-------) [000] ..s.  6.250000: bpf_trace_printk: x [LOST 3 EVENTS]',
      { task: '<idle>', pid: 0, cpu: 0, seconds: 6.25, event, text: 'x [LOST 3 EVENTS]' },
    ],
    [
      '            node-7       [002] 7.125000: sched_switch: prev_comm=node ==> next_comm=x',
      {
        task: 'node',
        pid: 7,
        cpu: 2,
        seconds: 7.125,
        event: 'sched_switch',
        text: 'prev_comm=node ==> next_comm=x',
      },
    ],
  ])('is read: %s', (line, expected) => {
    expect(parseTraceLine(line)).toEqual(expected);
  });

  it.each(['lines', '', '# tracer: nop', 'CPU:1 [LOST 3 EVENTS]'])('is none: %j', (line) => {
    expect(parseTraceLine(line)).toBeUndefined();
  });

  it('may say how many are lost', () => {
    expect(lostEvents('CPU:1 [LOST 345 EVENTS]')).toBe(345);
    expect(lostEvents('x CPU:1 [LOST 345 EVENTS]')).toBeUndefined();
  });
});
