import { NetkitError } from '../base/errors.js';
import type { Place } from '../cnf/order.js';

/** What the command line says of a program's place among others. */
export interface PlaceOptions {
  readonly first: boolean;
  readonly last: boolean;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** @throws NetkitError `usage` for two places at once, and for an empty reference */
export function placeIn({ first, last, before, after }: PlaceOptions): Place | undefined {
  const places: (readonly [option: string, place: Place])[] = [];
  if (first) places.push(['--first', 'first']);
  if (last) places.push(['--last', 'last']);
  if (before !== undefined) places.push(['--before', { before }]);
  if (after !== undefined) places.push(['--after', { after }]);
  const [chosen, another] = places;
  if (chosen !== undefined && another !== undefined)
    throw new NetkitError('usage', `${chosen[0]} and ${another[0]} exclude each other`);
  if (before === '' || after === '') {
    throw new NetkitError('usage', `${before === '' ? '--before' : '--after'} needs the name of a program`, {
      hint: 'use FUNCTION/PROGRAM, id:N, name:TEXT, or the absolute path of a pin',
    });
  }
  return chosen?.[1];
}
