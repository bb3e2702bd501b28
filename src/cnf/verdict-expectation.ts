/** One packet with the verdict that a program is to give, as the files of `replace --test` have it. */
import * as z from 'zod/mini';

export const verdictExpectation = z.strictObject({
  /** What messages call it. */
  name: z.optional(z.string()),
  program: z.optional(z.string()),
  packet: z.optional(z.union([z.string(), z.array(z.string())])),
  pcap: z.optional(z.string()),
  verdict: z.union([z.string(), z.int()]),
  output: z.optional(z.string()),
});
