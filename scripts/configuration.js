// Writes docs/CONFIGURATION.md from the tables that the flags come from: `npm run docs:configuration`, after a build.
import { writeFile } from 'node:fs/promises';
import { configurationPage } from '../dist/cli/configuration-page.js';

await writeFile(new URL('../docs/CONFIGURATION.md', import.meta.url), configurationPage());
