import { benchDocument } from '../../bench/document.js';
import { benchCompareDocument } from './bench-compare-document.js';

const measured = benchDocument.omit({ schemaVersion: true });

/** Documents of the commands that measure, which are all the same, and of those that use them. */
export const benchDocuments = {
  'bench drop': measured,
  'bench program': measured,
  'bench latency': measured,
  'bench maps': measured,
  'bench chain': measured,
  'bench rules': measured,
  'bench sockmap': measured,
  'bench upgrade': measured,
  'bench probes': measured,
  'bench cli': measured,
  'bench render': measured,
  'bench compare': benchCompareDocument,
};
