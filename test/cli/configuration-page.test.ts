import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { configurationPage } from '../../src/cli/configuration-page.js';
import { COMMANDS } from '../commands/all-commands.js';

test('docs/CONFIGURATION.md is what the tables say (npm run docs:configuration)', () => {
  const page = readFileSync(new URL('../../docs/CONFIGURATION.md', import.meta.url), 'utf8');
  expect(page).toBe(configurationPage());
});

test('it has every command that takes settings of its own', () => {
  const page = configurationPage();
  const words = new Set([...COMMANDS.keys()].map((name) => name.split(' ', 1)[0]!));
  const missing = [...words].filter((word) => !new RegExp(`^## .*nsq ${word}\\b`, 'm').test(page));
  expect(missing.sort()).toEqual(['complete', 'completion', 'help', 'version']);
});
