import { bootClock } from '../sys/libc.js';

/** Milliseconds since the boot, by a clock that goes on while the machine sleeps and that nobody can set. */
export function bootClockMs(): number {
  return bootClock();
}
