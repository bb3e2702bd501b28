/** Bytes of a page of memory, of which the sizes of ring buffers are multiples. */
export { pageSize } from '../sys/ring.js';
