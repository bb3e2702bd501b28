import { Block } from './block.js';
import { bpf } from './bpf.js';
import type { Fd } from './fd.js';
import { attr, uapi } from './uapi.js';

const streams = { stdout: uapi.BPF_STREAM_STDOUT, stderr: uapi.BPF_STREAM_STDERR } as const;

/** A program's output and, for what the kernel has to say of its faults, its error output. */
export type StreamName = keyof typeof streams;

/** Takes what a program wrote since the last time: kernel 6.17. @returns how many bytes came, 0 for none now. @throws SysError */
export function readStream(program: Fd, stream: StreamName, bytes: Uint8Array): number {
  const block = new Block(attr.progStreamRead, {
    stream_buf_len: bytes.length,
    stream_id: streams[stream],
    prog_fd: program.value,
  });
  return bpf('PROG_STREAM_READ_BY_FD', block.point('stream_buf', bytes), `read the ${stream} of a program`);
}
