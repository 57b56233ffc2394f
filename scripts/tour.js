// Runs the commands of the tour against a broker of its own, and draws what a terminal shows of them:
// docs/images/tour.svg. With --check it only compares, and ends with 1 when the picture is not true any more.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { drawTerminal } from './tour/picture.js';
import { recordTour } from './tour/recording.js';

const file = fileURLToPath(new URL('../docs/images/tour.svg', import.meta.url));

const picture = drawTerminal(await recordTour());
if (!process.argv.includes('--check')) {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, picture);
} else if ((await readFile(file, 'utf8').catch(() => '')) !== picture) {
  console.error('docs/images/tour.svg is not what the commands print: run node scripts/tour.js');
  process.exitCode = 1;
}
