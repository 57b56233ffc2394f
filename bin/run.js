#!/usr/bin/env node
'use strict';

const { join } = require('node:path');
const { useCodeCache } = require('./code-cache.js');

const directory = join(__dirname, '..', 'dist', 'bin');
useCodeCache(directory);
require(join(directory, 'main.cjs')).main(process.argv.slice(2), join(__dirname, '..'), require);
