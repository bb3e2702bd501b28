/**
 * Sends requests and takes answers, one after the other on one thread that never sleeps: whoever sleeps is woken late. Nothing
 * in these loops makes an object.
 */
import { newTimeline, type Timeline } from './timeline.js';

/** How requests get to the server and answers back. */
export interface Transport extends Disposable {
  /** Sends the request of a number, without waiting. @returns false when the other side takes no more now */
  send(index: number): boolean;
  /** The number of a request whose answer is there now, or -1. */
  answered(): number;
}

/** Nanoseconds of a clock that only goes on. */
export type Clock = () => number;

export const clock: Clock = () => performance.now() * 1e6;

export interface OpenLoop {
  /** Nanoseconds from the beginning, in order. */
  readonly due: Float64Array;
  /** How long answers are waited for after the last request was to be sent, in nanoseconds. */
  readonly patience: number;
}

/** Sends each request at its time, whether the ones before are answered or not. */
export function openLoop(transport: Transport, { due, patience }: OpenLoop, now: Clock = clock): Timeline {
  const line = newTimeline(due);
  const { tried, sent, answered } = line;
  const count = due.length;
  const end = (due[count - 1] ?? 0) + patience;
  const begin = now();
  let next = 0;
  let left = count;
  for (let time = 0; left > 0 && time <= end; time = now() - begin) {
    if (next < count && (due[next] ?? 0) <= time) {
      const isFirst = Number.isNaN(tried[next] ?? 0);
      if (isFirst) tried[next] = time;
      if (transport.send(next)) {
        sent[next] = isFirst ? time : now() - begin;
        next += 1;
      }
    }
    const index = transport.answered();
    if (index >= 0 && Number.isNaN(answered[index] ?? 0)) {
      answered[index] = now() - begin;
      left -= 1;
    }
  }
  return line;
}

export interface ClosedLoop {
  /** How many requests are on their way at the same time: 1 waits for each answer. */
  readonly window: number;
  /** How long new ones are sent, in nanoseconds. */
  readonly duration: number;
  /** At most so many in all. */
  readonly most: number;
  /** How long an answer is waited for, in nanoseconds: then the request counts as lost. */
  readonly patience: number;
}

/** Sends the next request when an answer is there; each is due when it is sent. */
export function closedLoop(
  transport: Transport,
  { window, duration, most, patience }: ClosedLoop,
  now: Clock = clock,
): Timeline {
  const line = newTimeline(new Float64Array(most).fill(Number.NaN));
  const { due, tried, sent, answered } = line;
  const begin = now();
  let next = 0;
  /** On their way. */
  let away = 0;
  let last = 0;
  for (let time = 0; ; time = now() - begin) {
    const isOver = time >= duration || next >= most;
    if (isOver && away === 0) break;
    if (time - last > patience) {
      // What is lost makes room for others.
      if (isOver) break;
      away = 0;
      last = time;
    }
    if (!isOver && away < window) {
      if (Number.isNaN(tried[next] ?? 0)) {
        due[next] = time;
        tried[next] = time;
      }
      if (transport.send(next)) {
        sent[next] = time;
        next += 1;
        away += 1;
        if (away === 1) last = time;
      }
    }
    const index = transport.answered();
    if (index >= 0 && Number.isNaN(answered[index] ?? 0)) {
      last = now() - begin;
      answered[index] = last;
      away = Math.max(0, away - 1);
    }
  }
  const part = (times: Float64Array): Float64Array => times.slice(0, next);
  return { due: part(due), tried: part(tried), sent: part(sent), answered: part(answered) };
}
