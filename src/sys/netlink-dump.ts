/** Lists that rtnetlink gives: one question, many messages. In the thread's network namespace. */
import { declare, invoke } from './call.js';
import { errnoNumber, SysError } from './errno.js';
import type { Fd } from './fd.js';
import { type Attributes, attributesIn, encodeAll, type NetlinkAttribute } from './netlink-attributes.js';
import {
  type NetlinkMessage,
  openNetlink,
  receiveMessages,
  sendMessage,
  throwErrorIn,
} from './netlink-message.js';
import { uapi } from './uapi.js';

declare('libc', ['int setsockopt(int fd, int level, int option, void *value, unsigned int size)']);

// sys/socket.h
const SOL_NETLINK = 270;

/** One message of a list. */
export interface DumpedMessage {
  /** The struct that it begins with. */
  readonly fixed: DataView;
  readonly attributes: Attributes;
}

export interface Question {
  readonly request: number;
  /** The type of the messages that are wanted. */
  readonly answer: number;
  /** The struct that the question begins with. */
  readonly fixed: Uint8Array;
  /** What tells those that are wanted, with `fixed`: Linux 4.20 and later heed it, older kernels list all. */
  readonly only?: readonly NetlinkAttribute[];
}

/** Lists what there is. @throws SysError; an answer cut short does not pass for a short list */
export function netlinkDump(question: Question, operation: string): DumpedMessage[] {
  using socket = openNetlink('route');
  return netlinkDumpBy(socket, question, operation);
}

/** The same by a socket that is there, in the namespace of that. After a failure it is good for nothing more. @throws SysError */
export function netlinkDumpBy(
  socket: Fd,
  { request, answer, fixed, only }: Question,
  operation: string,
): DumpedMessage[] {
  if (only !== undefined) askStrictly(socket);
  const body = Buffer.concat([fixed, encodeAll(only ?? [])]);
  sendMessage(socket, request, uapi.NLM_F_DUMP, body, operation);
  const found: DumpedMessage[] = [];
  for (;;) {
    for (const message of receiveMessages(socket, operation)) {
      if (message.type === uapi.NLMSG_DONE || message.type === uapi.NLMSG_ERROR) {
        throwErrorIn(message, operation);
        return found;
      }
      if (message.type === answer) found.push(dumped(message, fixed.length, operation));
    }
  }
}

/** Where the kernel does not know this, whoever asked has to choose. */
function askStrictly(socket: Fd): void {
  const yes = new Uint8Array(Int32Array.of(1).buffer);
  invoke('setsockopt', [socket.value, SOL_NETLINK, uapi.NETLINK_GET_STRICT_CHK, yes, yes.length]);
}

function dumped({ body }: NetlinkMessage, fixedSize: number, operation: string): DumpedMessage {
  if (body.byteLength < fixedSize) throw new SysError(operation, errnoNumber('EPROTO'));
  const rest = new DataView(body.buffer, body.byteOffset + fixedSize, body.byteLength - fixedSize);
  return { fixed: new DataView(body.buffer, body.byteOffset, fixedSize), attributes: attributesIn(rest) };
}
