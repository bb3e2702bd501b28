/** The sections of `netkit feature`, in the order in which it shows them. */
export const featureSections = [
  'programs',
  'maps',
  'hooks',
  'helpers',
  'kfuncs',
  'misc',
  'setup',
  'build',
  'interfaces',
] as const;

export type FeatureSection = (typeof featureSections)[number];

export function isFeatureSection(word: string): word is FeatureSection {
  return featureSections.some((section) => section === word);
}
