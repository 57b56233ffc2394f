import { expect, it } from 'vitest';
import { Reachability } from '../../../src/broker/statsd/reachability.js';

function noted(): { reach: Reachability; lines: string[] } {
  const lines: string[] = [];
  const note = (line: string): unknown => lines.push(line);
  return { reach: new Reachability('h:1', { debug: note, info: note, warn: note, error: note }), lines };
}

const BEGUN = 'STATSD: pushing stats to h:1';

it('says one line for each change', () => {
  const { reach, lines } = noted();
  const refused = Object.assign(new Error('x'), { code: 'ECONNREFUSED' });
  const push = (...errors: Error[]): void => {
    reach.begun();
    for (const error of errors) reach.failed(error);
    reach.ended();
  };
  push();
  push();
  push(refused, refused);
  push(refused);
  push();
  push();
  expect(lines).toEqual([
    BEGUN,
    'STATSD: cannot push stats to h:1: nobody listens there; trying again at every interval',
    `${BEGUN} again`,
  ]);
  expect(reach.failures).toBe(2);
});

it('says why there was no push at all', () => {
  const { reach, lines } = noted();
  reach.failed(Object.assign(new Error('x'), { code: 'ENOTFOUND' }));
  reach.failed(new Error('something else'));
  reach.begun();
  reach.ended();
  expect(lines).toEqual([
    'STATSD: cannot push stats to h:1: its host name is not known; trying again at every interval',
    `${BEGUN} again`,
  ]);
});
