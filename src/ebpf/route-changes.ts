/** Changes of a route with programs that leave the other programs on it. */
import { Scope } from '../base/scope.js';
import type { Netns } from '../host/netns.js';
import { deleteRoute, type LwtPoint, type RoutePlace, type SeenRoute, writeRoute } from './lwt-route.js';
import { Program } from './program.js';

/**
 * Writes a route with what is on it and what is given, the latter in the place of what is at the same point. Needs
 * CAP_SYS_ADMIN where others stay on it. @throws NetkitError, SysError
 */
export function changeRoute(
  place: RoutePlace,
  seen: SeenRoute | undefined,
  given: ReadonlyMap<LwtPoint, Program>,
  netns?: Netns,
): void {
  using scope = new Scope();
  const programs = new Map(given);
  for (const [point, { programId }] of seen?.programs ?? [])
    if (!programs.has(point) && programId !== undefined)
      programs.set(point, scope.use(Program.fromId(programId)));
  writeRoute(place, programs, seen !== undefined, netns);
}

/** Takes the program at one point off a route, and the route away with the last one. @throws NetkitError, SysError */
export function takeOffRoute(place: RoutePlace, seen: SeenRoute, point: LwtPoint, netns?: Netns): void {
  const programs = new Map([...seen.programs].filter(([each]) => each !== point));
  if (programs.size === 0) deleteRoute(place, netns);
  else changeRoute(place, { programs }, new Map(), netns);
}
