import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** End-to-end tests run `bin/`, which loads `dist/`: builds it once before the suite, unless it is fresh from `npm ci`. */
export default function setup(): void {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  if (process.env.CI && existsSync(`${root}/dist/bin`)) return;
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' });
}
