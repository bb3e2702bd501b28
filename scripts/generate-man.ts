// Writes man/ and docs/commands.md from the command table, and the tables of docs/manifest.md from its schema. With --check it only says what is out of date.
import { readFileSync } from 'node:fs';
import { manPages } from '../src/cli/man.js';
import { referenceText } from '../src/cli/reference.js';
import { manifestPage } from '../src/cli/schema/manifest-fields.js';
import { writeGenerated } from './written-files.js';

const { version }: { version: string } = JSON.parse(readFileSync('package.json', 'utf8'));
const files = new Map(manPages(version).map(({ file, text }) => [`man/${file}`, text]));
files.set('docs/commands.md', referenceText());
files.set('docs/manifest.md', manifestPage(readFileSync('docs/manifest.md', 'utf8')));
writeGenerated(files, { folder: 'man', suffix: '.1' });
