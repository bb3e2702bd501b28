/** The versions of the programs that a benchmark was set up with. */
import { NetkitError } from '../../base/errors.js';
import { findTool } from '../../host/command.js';
import { runInside } from '../../host/command-inside.js';
import type { BenchEnvironment } from '../document.js';

export interface AskedTool {
  readonly name: string;
  /** What makes it say its version. */
  readonly versionArgs: readonly string[];
}

/** Of those that are installed, each once, and of `ip`, which makes the network. */
export function toolVersions(tools: readonly (AskedTool | undefined)[]): BenchEnvironment['tools'] {
  const asked = new Map(
    tools.flatMap((tool) => (tool === undefined ? [] : [[tool.name, tool.versionArgs] as const])),
  );
  asked.set('ip', ['-V']);
  return [...asked].flatMap(([name, args]) => {
    if (findTool(name) === undefined) return [];
    const version = versionOf(name, args);
    return [{ name, version: version instanceof NetkitError ? 'does not say' : version }];
  });
}

/** The error of one that is installed, and does not work: a wrapper for another kernel's tools, say. */
export function versionOf(tool: string, args: readonly string[]): string | NetkitError {
  try {
    return versionIn(runInside(undefined, tool, args));
  } catch (error) {
    if (error instanceof NetkitError) return error;
    throw error;
  }
}

/** What the version of a tool is called, as it says itself. */
export function versionIn(said: string): string {
  return /v?(\d+(?:\.\d+)+.*)$/m.exec(said)?.[1]?.trim() ?? said.trim();
}
