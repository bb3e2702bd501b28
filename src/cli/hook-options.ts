/** The options of `attach` that matter to some hooks only. */
import { NetkitError } from '../base/errors.js';
import type { HookOptions } from '../cnf/hooks/family.js';
import { parseVerdicts, type XdpVerdict } from '../obj/xdp-dispatcher/actions.js';
import { placeIn } from './place-options.js';
import type { Options } from './table/index.js';

/** @throws NetkitError `usage`, `bad-value` */
export function hookOptions(options: Options<'attach'>): HookOptions {
  const { mode, family, stage, defrag, pid } = options;
  return {
    mode,
    family,
    stage,
    priority: wholeNumber(options.priority, '--priority'),
    place: placeIn(options),
    proceedOn: proceedOnOption(options.proceedOn),
    direct: options.direct ? true : undefined,
    defrag: defrag ? true : undefined,
    cookie: cookieOf(options.cookie),
    pid,
    takeOver: options.takeOver ? true : undefined,
  };
}

/** @throws NetkitError `usage` */
export function wholeNumber(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (/^-?\d{1,10}$/.test(text) && Math.abs(number) <= 2 ** 31) return number;
  throw new NetkitError('usage', `${option}: '${text}' is not a whole number`);
}

/** @throws NetkitError `usage` */
export function proceedOnOption(text: string | undefined): XdpVerdict[] | undefined {
  return text === undefined ? undefined : parseVerdicts(text);
}

function cookieOf(text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined;
  const cookie = /^(\d{1,20}|0x[0-9a-f]{1,16})$/i.test(text) ? BigInt(text) : undefined;
  if (cookie !== undefined && cookie < 2n ** 64n) return cookie;
  throw new NetkitError('usage', `--cookie: '${text}' is not a number from 0 to 2^64-1`);
}
