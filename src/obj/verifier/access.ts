/** What a refused instruction was about to do with memory. */

export interface Access {
  readonly kind: 'read' | 'write';
  readonly bytes: number;
}

const sizes: Readonly<Record<string, number>> = { u8: 1, u16: 2, u32: 4, u64: 8, s8: 1, s16: 2, s32: 4 };

/** @param text `r1 = *(u8 *)(r1 +12)`, `*(u32 *)(r10 -8) = r2`, `lock *(u64 *)(r0 +0) += r1` */
export function accessOf(text: string): Access | undefined {
  const [, before = '', size = ''] = /^(.*?)\*\((\w+) \*\)\(/.exec(text) ?? [];
  const bytes = sizes[size];
  if (bytes === undefined) return undefined;
  return { kind: / = $/.test(before) ? 'read' : 'write', bytes };
}

/** «reads 4 bytes», or what a helper is given. */
export function accessWords(text: string, helper: string | undefined, size: number | undefined): string {
  const access = accessOf(text);
  const bytes = byteCount(size ?? access?.bytes ?? 0);
  if (helper !== undefined) return `${helper}() is given ${bytes}`;
  return `${access?.kind ?? 'use'}s ${bytes}`;
}

export function byteCount(count: number): string {
  return count === 1 ? '1 byte' : `${count} bytes`;
}
