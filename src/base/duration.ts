/** Durations as people write them: a whole number and a unit. */
const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `90s` in milliseconds; undefined when the text is no whole number with one of the units ms, s, m and h. */
export function parseDuration(text: string): number | undefined {
  const [, digits, unit = ''] = /^(\d{1,9})(ms|s|m|h)$/.exec(text) ?? [];
  const factor = units[unit];
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor;
}

/** Milliseconds in the largest unit that leaves no fraction, such as `90 s`; from a second on to whole seconds. */
export function describeDuration(milliseconds: number): string {
  const whole =
    milliseconds < 1000 ? Math.max(0, Math.round(milliseconds)) : Math.round(milliseconds / 1000) * 1000;
  const [name, factor] =
    Object.entries(units)
      .reverse()
      .find(([, each]) => whole >= each && whole % each === 0) ?? (['ms', 1] as const);
  return whole === 0 ? '0 s' : `${whole / factor} ${name === 'm' ? 'min' : name}`;
}
