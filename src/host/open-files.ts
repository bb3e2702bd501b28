import { readdirSync, readFileSync } from 'node:fs';

/** How many more files this process may open: node has raised the soft limit to the hard one. */
export function openableFiles(): number {
  const limit = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  const most = limit === undefined || limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit);
  return most - readdirSync('/proc/self/fd').length;
}
