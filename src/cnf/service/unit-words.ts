/** Texts as words of a unit file: systemd takes spaces, quotes, backslashes, `%` and, in command lines, `$` for its own. */

/** A path, or the program of a command line, as one word. */
export function unitWord(text: string): string {
  const escaped = text.replaceAll('%', '%%');
  if (/^[\w.,:=@%+/$-]+$/.test(escaped)) return escaped;
  return `"${escaped.replace(/["\\]/g, '\\$&').replace(/\p{Cc}/gu, controlCode)}"`;
}

/** A command line; all but the program have `$` for what it is. */
export function unitCommand(program: string, args: readonly string[]): string {
  return [unitWord(program), ...args.map((word) => unitWord(word).replaceAll('$', '$$$$'))].join(' ');
}

function controlCode(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}
