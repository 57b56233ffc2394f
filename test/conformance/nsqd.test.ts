import { conformance } from './suite.js';

conformance('handshake');
conformance('publish');
conformance('consume', { concurrent: true });
conformance('timeouts');
conformance('http');
