/** Changes that are taken back unless they are confirmed: the option, and what is said of them. */
import { describeDuration, parseDuration } from '../base/duration.js';
import { NetkitError } from '../base/errors.js';
import { type PendingChange, type ReturnReason, timeLeft } from '../cnf/pending/record.js';
import type { Page } from './page.js';
import type { PendingInfo, ReturnedInfo } from './schema/index.js';

const leastMs = 1000;
const mostMs = 24 * 3_600_000;

/** `--confirm` in milliseconds. @throws NetkitError `usage` */
export function confirmWithin(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const duration = parseDuration(text);
  if (duration === undefined) {
    throw new NetkitError('usage', `--confirm: '${text}' is no duration`, {
      hint: /^\d{1,9}$/.test(text)
        ? `with its unit: --confirm ${text}s`
        : 'a whole number and its unit, such as 90s, 2m or 1h',
    });
  }
  if (duration >= leastMs && duration <= mostMs) return duration;
  throw new NetkitError('usage', `--confirm: '${text}' is not from 1s to 24h`);
}

/** What there is to be done about what was just changed. */
export function sayReturn(page: Page, returnsAt: string | undefined, functionName: string | undefined): void {
  if (returnsAt === undefined) return;
  const left = wholeSeconds(Math.max(0, Date.parse(returnsAt) - Date.now()));
  page.line(
    `taken back in ${left}, at ${timeOfDay(returnsAt)}, unless 'netkit confirm${functionName === undefined ? '' : ` ${functionName}`}' keeps it`,
  );
}

export function pendingDocument(change: PendingChange): PendingInfo {
  const { function: name, command, startedAt } = change.plan;
  return {
    function: name,
    command,
    startedAt,
    returnsAt: change.deadline.at,
    secondsLeft: Math.max(0, Math.round(timeLeft(change)) / 1000),
    problem: change.problem,
    settling: change.settling !== null,
  };
}

export function returnedDocument({ plan, returnedAt, reason }: PendingChange): ReturnedInfo {
  const { function: name, command, startedAt } = plan;
  return { function: name, command, startedAt, returnedAt, reason };
}

/** One line about a change that waits. */
export function pendingText({
  function: name,
  command,
  returnsAt,
  secondsLeft,
  problem,
  settling,
}: PendingInfo): string {
  if (problem !== null) return `${problem}: 'netkit recover' tries again`;
  if (settling) return `'${command}' is being watched: it stays if all is well, and is taken back otherwise`;
  return secondsLeft === 0
    ? `'${command}' is overdue: 'netkit recover' takes it back`
    : `'${command}' is taken back in ${wholeSeconds(secondsLeft * 1000)}, at ${timeOfDay(returnsAt)}, unless 'netkit confirm ${name}' keeps it`;
}

const returnWords: Readonly<Record<ReturnReason, string>> = {
  time: 'nobody confirmed it in time',
  reboot: 'the machine was started anew before anybody confirmed it',
  health: 'it was not healthy',
  abandoned: 'the command was killed before it was known whether all is well',
};

/** One line about a change that was taken back. */
export function returnedText({ command, returnedAt, reason }: ReturnedInfo): string {
  if (returnedAt === null) return `'${command}' would be taken back: nobody confirmed it`;
  return `'${command}' was taken back at ${timeOfDay(returnedAt)}: ${returnWords[reason ?? 'time']}`;
}

function timeOfDay(iso: string): string {
  return new Date(iso).toTimeString().slice(0, 8);
}

function wholeSeconds(milliseconds: number): string {
  return describeDuration(Math.ceil(milliseconds / 1000) * 1000);
}
