import { describe, expect, test } from 'vitest';
import { BrokerError } from '../../src/broker/errors.js';
import { RunError, UsageError } from '../../src/cli/errors.js';
import { explain, renderExplanation } from '../../src/cli/explanation.js';
import { ConnectionError, LookupError } from '../../src/client/errors.js';

const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:4150'), {
  code: 'ECONNREFUSED',
  address: '127.0.0.1',
  port: 4150,
});

describe('explain', () => {
  test.each([
    [
      'a usage error',
      new UsageError('--topic is missing', { hint: 'Name one' }),
      2,
      'error: --topic is missing. Name one.',
    ],
    ['a run-time error', new RunError('2 messages not accepted'), 1, 'error: 2 messages not accepted'],
    [
      'a refused connection',
      refused,
      1,
      'error: cannot reach 127.0.0.1:4150: connection refused: nothing listens there. Start a broker with "nsq serve", or give the address of one.',
    ],
    [
      "a refused connection behind the client's error",
      new ConnectionError('E_CONNECT', '127.0.0.1:4150', refused.message, { cause: refused }),
      1,
      'error: 127.0.0.1:4150: connection refused: nothing listens there. Start a broker with "nsq serve", or give the address of one.',
    ],
    [
      'a lookupd that is not there',
      new LookupError('E_LOOKUP', '127.0.0.1:4161', refused.message, { cause: refused }),
      1,
      'error: 127.0.0.1:4161: connection refused: nothing listens there. Start one with "nsq lookupd", or give the HTTP address of one.',
    ],
    [
      'a refused connection in an aggregate',
      new AggregateError([refused], 'cannot connect to 127.0.0.1:4150'),
      1,
      'error: cannot connect to 127.0.0.1:4150 (connection refused: nothing listens there). Start a broker with "nsq serve", or give the address of one.',
    ],
    [
      'a broker that wants TLS',
      new ConnectionError(
        'E_CONNECT',
        '127.0.0.1:4150',
        'E_INVALID cannot SUB in current state (TLS required)',
      ),
      1,
      'error: 127.0.0.1:4150: E_INVALID cannot SUB in current state (TLS required). Ask for it with tls_v1 in --consumer-opt or --producer-opt: docs/SECURITY.md has examples.',
    ],
    [
      'a held data path',
      new BrokerError('E_LOCKED', 'data path /data is in use'),
      1,
      'error: data path /data is in use. Stop the other broker, or choose another directory with --data-path.',
    ],
    [
      'an option out of range',
      new BrokerError('E_OPTION', 'nodeId must be 0 to 1023'),
      2,
      'error: nodeId must be 0 to 1023',
    ],
    [
      'a mistake of ours',
      new TypeError('x is not a function'),
      1,
      'error: x is not a function. DEBUG=nsq* shows where.',
    ],
    ['what is no error', 'text', 1, 'error: text. DEBUG=nsq* shows where.'],
  ])('%s', (_, error, exit, line) => {
    const explanation = explain(error);
    expect(renderExplanation(explanation)).toBe(line);
    expect(explanation.exit).toBe(exit);
  });

  test('an error that is its own cause ends', () => {
    const error = new Error('round');
    error.cause = error;
    expect(explain(error).message).toBe('round');
  });
});
