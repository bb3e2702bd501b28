/** Requests to rtnetlink that change something: one message, and the kernel's answer. In the thread's network namespace. */
import { errnoNumber, SysError } from './errno.js';
import { encodeAll, type NetlinkAttribute } from './netlink-attributes.js';
import { openNetlink, receiveAnswer, sendMessage } from './netlink-message.js';
import { uapi } from './uapi.js';

/**
 * Sends one request and waits for its answer.
 * @param fixed the struct that the message begins with, such as `struct rtmsg`
 * @param flags beside NLM_F_REQUEST and NLM_F_ACK
 * @throws SysError with the kernel's errno
 */
export function netlinkRequest(
  type: number,
  flags: number,
  fixed: Uint8Array,
  attributes: readonly NetlinkAttribute[],
  operation: string,
): void {
  using socket = openNetlink('route');
  const body = Buffer.concat([fixed, encodeAll(attributes)]);
  sendMessage(socket, type, uapi.NLM_F_ACK | flags, body, operation);
  const answer = receiveAnswer(socket, operation);
  // An acknowledgement is an error of number 0.
  if (answer.type !== uapi.NLMSG_ERROR || answer.body.byteLength < 4)
    throw new SysError(operation, errnoNumber('EPROTO'));
}
