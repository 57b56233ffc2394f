// Writes docs/CLIENT-OPTIONS.md from the client's option tables: `npm run docs:client-options`, after a build.
import { writeFile } from 'node:fs/promises';
import { clientOptionsPage } from '../dist/cli/client-options-page.js';

await writeFile(new URL('../docs/CLIENT-OPTIONS.md', import.meta.url), clientOptionsPage());
