import type { BenchResult } from '../../src/bench/document.js';
import type { Scenario } from '../../src/bench/scenario.js';

/** Scenarios with answers that are known beforehand. */
export interface Trial {
  readonly name: string;
  readonly questions: readonly Question[];
  end(): void;
}

export interface Question {
  readonly scenario: Scenario;
  readonly answers: readonly Answer[];
}

export interface Answer {
  readonly title: string;
  /** What it is about. */
  readonly variant: string;
  readonly right: BenchResult['verdict'];
}

/** How much more work the slowed ones do. */
export const slowedBy = 1.2;

export const control = (variant: string): Answer => ({
  title: 'the control',
  variant,
  right: 'within noise',
});
export const same = (variant: string): Answer => ({
  title: 'the same again',
  variant,
  right: 'within noise',
});
export const slowed = (variant: string): Answer => ({ title: 'a fifth slower', variant, right: 'slower' });
