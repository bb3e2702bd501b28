/** Regular files, piece by piece. */
import { closeSync, read } from 'node:fs';
import { fileError } from './file-errors.js';

/** Bytes that are read at a time. */
export const pieceBytes = 1 << 20;

/** A regular file. The next piece is read while this one is used. */
export class StoredFile implements Disposable {
  /** How messages name it. */
  readonly name: string;
  /** `pieces` may be called again. */
  readonly repeatable = true;
  readonly #fd: number;
  /** The read under way on another thread: the descriptor stays open until it is over. */
  #reading: Promise<unknown> = Promise.resolve();

  /** @param fd belongs to this from then on */
  constructor(name: string, fd: number) {
    this.name = name;
    this.#fd = fd;
  }

  /** The bytes in pieces of any size; each belongs to the taker. @throws NetkitError `failed` */
  async *pieces(): AsyncGenerator<Uint8Array> {
    let next = this.#read(0);
    for (let position = 0; ; ) {
      const piece = await next;
      if (piece.length === 0) return;
      position += piece.length;
      next = this.#read(position);
      yield piece;
    }
  }

  #read(position: number): Promise<Uint8Array> {
    const piece = new Promise<Uint8Array>((resolve, reject) => {
      const bytes = Buffer.allocUnsafeSlow(pieceBytes);
      read(this.#fd, bytes, 0, pieceBytes, position, (error, count) => {
        if (error === null) resolve(bytes.subarray(0, count));
        else reject(fileError(error, 'read', this.name));
      });
    });
    // Whoever stops here does not wait for it.
    this.#reading = piece.catch(() => undefined);
    return piece;
  }

  [Symbol.dispose](): void {
    this.#reading = this.#reading.then(() => closeSync(this.#fd));
  }
}
