import { readFileSync } from 'node:fs';

/** How far above a module of the package its package.json may lie. */
const LEVELS = ['../../', '../../../', '../../../../'];

let cached: string | undefined;

/** This package's version, from its package.json. */
export function version(): string {
  cached ??= LEVELS.map((level) => versionIn(new URL(`${level}package.json`, import.meta.url))).find(
    (it) => it !== undefined,
  );
  return cached ?? '';
}

function versionIn(file: URL): string | undefined {
  try {
    const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as { name?: string; version?: string };
    return name === 'nsq' ? version : undefined;
  } catch {
    return undefined;
  }
}
