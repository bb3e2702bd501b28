import { NetkitError } from '../../base/errors.js';
import { closest } from '../../base/suggest.js';
import type { Command } from '../context.js';
import { featureDocument } from '../feature-document.js';
import { fillFeatures } from '../feature-page.js';
import { type FeatureSection, featureSections, isFeatureSection } from '../feature-sections.js';

export const run: Command<'feature'> = async ({ output, options: { netns } }, { words }, { full }) => {
  const { sections, ifname } = asked(words);
  const document = await output.progress('trying what the kernel offers', async () =>
    featureDocument({ sections, ifname, netns, full }),
  );
  const isWhole = full || words.some(isFeatureSection);
  output.result(document, (page) => fillFeatures(page, document, { isWhole, full }));
};

/** Sections by their names; what is none is an interface. */
function asked(words: readonly string[]): {
  sections: ReadonlySet<FeatureSection>;
  ifname: string | undefined;
} {
  const sections = new Set<FeatureSection>(words.filter(isFeatureSection));
  const [ifname, ...more] = words.filter((word) => !isFeatureSection(word));
  if (more.length > 0) {
    const near = closest(more[0] ?? '', featureSections);
    throw new NetkitError('usage', `'${more.join(' ')}': one interface can be shown at a time`, {
      hint: near === undefined ? `the sections are ${featureSections.join(', ')}` : `did you mean '${near}'?`,
    });
  }
  if (ifname !== undefined) sections.add('interfaces');
  return { sections: sections.size > 0 ? sections : new Set(featureSections), ifname };
}
