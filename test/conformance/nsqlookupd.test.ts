import { conformance } from './suite.js';

conformance('lookupd');
