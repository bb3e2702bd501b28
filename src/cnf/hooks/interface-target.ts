/** What hooks of interfaces have in common. */
import { NetkitError } from '../../base/errors.js';
import { findInterface } from '../../host/interfaces.js';
import type { TargetReader } from './family.js';

export const interfaceReader: TargetReader = {
  need: 'required',
  noun: 'the name of an interface',
  // What the kernel takes for a name (dev_valid_name).
  couldBe: (text) => /^[^\s/:]{1,15}$/.test(text),
  exists(text, { netns }) {
    try {
      findInterface(text, netns);
      return true;
    } catch (error) {
      if (error instanceof NetkitError && error.code === 'not-found') return false;
      throw error;
    }
  },
};
