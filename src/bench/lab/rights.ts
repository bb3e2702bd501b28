/** What a benchmark needs to be allowed, asked before anything is made. */
import { NetkitError } from '../../base/errors.js';
import { capabilityHint, missingFor, type PrivilegedTask } from '../../host/capabilities.js';

/** Namespaces, interfaces and programs in them, and the tracepoints that count. */
const tasks: readonly PrivilegedTask[] = ['netns', 'attach', 'load-tracing'];

/** @throws NetkitError `not-permitted` */
export function requireLabRights(): void {
  const missing = tasks.find((task) => missingFor(task).length > 0);
  if (missing === undefined) return;
  throw new NetkitError(
    'not-permitted',
    'this user may not make what is measured: network namespaces, interfaces and programs in them',
    { hint: capabilityHint(missing) },
  );
}
