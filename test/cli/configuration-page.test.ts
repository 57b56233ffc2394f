import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { configurationPage } from '../../src/cli/configuration-page.js';

test('docs/CONFIGURATION.md is what the tables say (npm run docs:configuration)', () => {
  const page = readFileSync(new URL('../../docs/CONFIGURATION.md', import.meta.url), 'utf8');
  expect(page).toBe(configurationPage());
});
