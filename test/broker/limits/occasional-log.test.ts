import { expect, it } from 'vitest';
import { OccasionalLog } from '../../../src/broker/limits/occasional-log.js';

it('says at once what happens, and then every ten seconds at most how often it did', () => {
  const said: number[] = [];
  let now = 5;
  const log = new OccasionalLog(
    (count) => said.push(count),
    () => now,
  );
  log.add(0);
  expect(said).toEqual([]);
  log.add(3);
  log.add(4);
  now += 9000;
  log.add(5);
  expect(said).toEqual([3]);
  now += 1001;
  log.add(0);
  expect(said).toEqual([3, 9]);
});
