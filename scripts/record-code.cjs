// As bin/run.js, but it writes the code cache when the command ends.
const { join } = require('node:path');
const { useCodeCache } = require('../bin/code-cache.js');

const root = join(__dirname, '..');
const directory = join(root, 'dist', 'bin');
useCodeCache(directory, { record: true });
require(join(directory, 'main.cjs')).main(process.argv.slice(2), root, require);
