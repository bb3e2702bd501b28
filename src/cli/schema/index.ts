import type { z } from 'zod';
import type { CommandName } from '../table/index.js';
import type { documents } from './documents.js';

/**
 * Types of the JSON documents. Types only, so that zod is never loaded by a command: the schemas themselves are for
 * `scripts/generate-schemas.ts` and the tests.
 */
export type Documents = { readonly [N in keyof typeof documents]: z.infer<(typeof documents)[N]> };

/** What a command gives to `output.result`. A 64-bit integer is a bigint. */
export type DocumentOf<N extends CommandName> = Documents[N];
export type {
  ChangeAction,
  LinkInfo,
  LoadedFunctionInfo,
  MapInfo,
  PendingInfo,
  ProgramInfo,
  ReturnedInfo,
} from './parts.js';
