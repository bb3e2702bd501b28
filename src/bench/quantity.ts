/** Figures in sentences: three digits, a prefix, the unit. */
import { ratioText, scaled, scaleFor } from './report/units.js';

/** A value with its unit: `4.91 M packets/s`, `83.0 ns`, `1.20 µs`, `12.3 %`, `1.50 MiB`. */
export function quantity(value: number, unit: string): string {
  const scale = scaleFor(unit, [value]);
  return [isCount(value, scale.factor) ? String(value) : scaled(value, scale), scale.unit]
    .filter((part) => part !== '')
    .join(' ');
}

/** A ratio as a factor: `2.51 ×`. */
export function factor(ratio: number): string {
  return ratioText(ratio);
}

/** How far a ratio lies from 1: `+3.2 %`, `−20 %`, `±0 %`. */
export function changeText(ratio: number): string {
  const percent = Math.abs(ratio - 1) * 100;
  if (percent < 0.05) return '±0 %';
  return `${ratio < 1 ? '−' : '+'}${percent < 10 ? percent.toFixed(1) : percent.toFixed(0)} %`;
}

/** A title inside of a sentence: `Time of a run` → `time of a run`, `CPU time` as it is. */
export function inSentence(title: string): string {
  return /^\p{Lu}\p{Ll}/u.test(title) ? title.charAt(0).toLowerCase() + title.slice(1) : title;
}

/** Ten rules are not 10.0 rules. */
function isCount(value: number, scale: number): boolean {
  return scale === 1 && Number.isInteger(value) && value >= 0 && value < 1000;
}
